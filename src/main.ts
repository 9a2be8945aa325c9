#!/usr/bin/env node
import { explainNoStart, isTooOld } from './commands/explain-no-start.js'

// Neither this file nor its static imports may need a package, or syntax that an old Node.js lacks: they explain why everything else could not
// be loaded.

function refuse (sentence: string): void {
  process.stderr.write(`tierhook: ${sentence}\n`)
  process.exitCode = 1
}

if (isTooOld(process.versions.node)) {
  refuse(`Node.js ${process.versions.node} is too old. tierhook needs 20.18 or newer: install one, such as the newest of Node.js 24.`)
} else {
  import('./commands/process.js').catch((error: unknown) => {
    const sentence = explainNoStart(error)
    if (sentence === undefined) throw error
    refuse(sentence)
  })
}
