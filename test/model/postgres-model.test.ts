import t from 'tap'
import { noPostgres, startPostgres } from '../support/postgres-server.js'
import { openPostgresEngine } from './postgres-engine.js'
import { remembered } from './remembered.js'
import { goThrough, runModel } from './run-model.js'

/** Number of runs, as many as the suite has time for. */
const RUNS = 50
const WITHIN_MS = 12_000

t.test('whatever happens to a journal in PostgreSQL', { skip: noPostgres }, async (t) => {
  const engine = await openPostgresEngine(await startPostgres(t))
  t.teardown(engine.close)

  for (const [title, ...happenings] of remembered) {
    await t.test(title, async (t) => { await t.resolves(goThrough(happenings, { engine })) })
  }

  await t.test('acknowledged events are forwarded in order, the file has each once, and none is skipped or removed too early', async (t) => {
    const seed = Number(process.env['TIERHOOK_MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
    t.comment(`seed ${seed}: npm run model -- --engine postgres --seed ${seed} --runs ${RUNS}`)
    let count = 0
    await runModel({ engine, seed, runs: RUNS, withinMs: WITHIN_MS, onRun: () => { count++ } })
    t.ok(count > 0, `${count} runs`)
  })
})
