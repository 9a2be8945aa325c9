import { parseArgs } from 'node:util'
import { runModel } from './run-model.js'

// npm run model -- [--runs N] [--seed S] [--path P]: goes through many runs of what may happen to the journal and the dispatcher.
const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string' }, path: { type: 'string' }, 'replay-path': { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(values.runs)
if (!Number.isInteger(seed) || !Number.isInteger(runs)) throw new Error('--runs and --seed are whole numbers')
console.log(`seed ${seed}, ${runs} runs`)
const startedAt = performance.now()
await runModel({
  seed,
  runs,
  path: values.path,
  replayPath: values['replay-path'],
  onRun: (run) => { if (run % 100 === 0) console.log(`${run} runs, ${Math.round((performance.now() - startedAt) / 1000)} s`) }
})
console.log(`${runs} runs kept every promise, in ${Math.round((performance.now() - startedAt) / 1000)} s`)
