import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const kept = fileURLToPath(new URL('../../../.tap/compiled', import.meta.url))

/** What packages are found at, by the name that a source gives. */
const packages = new Map()

/** A source names another by what it is compiled to. What can be said here need not be looked for by node, which takes it several times as long. */
export async function resolve (specifier, context, nextResolve) {
  if (specifier.startsWith('node:')) return { url: specifier, format: 'builtin', shortCircuit: true }
  if (!/^(\.{0,2}\/|file:)/.test(specifier)) {
    if (context.parentURL?.includes('/node_modules/') !== false) return await nextResolve(specifier, context)
    const found = packages.get(specifier) ?? await nextResolve(specifier, context)
    packages.set(specifier, found)
    return { ...found, shortCircuit: true }
  }
  const url = new URL(specifier, context.parentURL)
  if (url.pathname.endsWith('.js') && !url.pathname.includes('/node_modules/')) {
    const source = new URL(url)
    source.pathname = `${url.pathname.slice(0, -'.js'.length)}.ts`
    if (!existsSync(url) && existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true }
  }
  return await nextResolve(specifier, context)
}

export async function load (url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return await nextLoad(url, context)
  const path = fileURLToPath(url)
  return { format: 'module', source: compile(path, readFileSync(path, 'utf8')), shortCircuit: true }
}

function compile (path, source) {
  // The map to the source names it by the last part of its path, and nothing else depends on where it is.
  const name = basename(path)
  const at = join(kept, `${name}-${createHash('sha256').update(source).digest('hex')}.js`)
  if (existsSync(at)) return readFileSync(at, 'utf8')
  // Not imported: its names would have to be found first, in nine megabytes.
  const ts = require('typescript')
  const { outputText } = ts.transpileModule(source, {
    fileName: name,
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true, inlineSourceMap: true }
  })
  mkdirSync(kept, { recursive: true })
  // Others may be at the same source: whoever finds the file finds all of it.
  const unfinished = join(kept, randomUUID())
  writeFileSync(unfinished, outputText)
  renameSync(unfinished, at)
  return outputText
}
