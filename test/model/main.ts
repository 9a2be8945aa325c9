import { parseArgs } from 'node:util'
import { startPostgres } from '../support/postgres-server.js'
import { openPostgresEngine } from './postgres-engine.js'
import { runModel } from './run-model.js'
import { sqliteEngine } from './sqlite-engine.js'

// npm run model -- [--engine postgres] [--runs N] [--seed S] [--path P]: goes through many runs of what may happen to the journal and the dispatcher.
const { values } = parseArgs({
  options: { engine: { type: 'string', default: 'sqlite' }, runs: { type: 'string', default: '1000' }, seed: { type: 'string' }, path: { type: 'string' }, 'replay-path': { type: 'string' } }
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(values.runs)
if (!Number.isInteger(seed) || !Number.isInteger(runs)) throw new Error('--runs and --seed are whole numbers')
if (values.engine !== 'sqlite' && values.engine !== 'postgres') throw new Error('--engine is sqlite or postgres')
console.log(`seed ${seed}, ${runs} runs on ${values.engine}`)
const endings: Array<() => unknown> = []
const startedAt = performance.now()
try {
  const postgres = values.engine === 'postgres' ? await openPostgresEngine(await startPostgres({ teardown: (end) => { endings.push(end) } })) : undefined
  if (postgres !== undefined) endings.unshift(postgres.close)
  await runModel({
    engine: postgres ?? sqliteEngine,
    seed,
    runs,
    path: values.path,
    replayPath: values['replay-path'],
    onRun: (run) => { if (run % (postgres === undefined ? 100 : 10) === 0) console.log(`${run} runs, ${Math.round((performance.now() - startedAt) / 1000)} s`) }
  })
  console.log(`${runs} runs kept every promise, in ${Math.round((performance.now() - startedAt) / 1000)} s`)
} finally {
  for (const end of endings) await end()
}
