import t from 'tap'
import { remembered } from './remembered.js'
import { goThrough, runModel } from './run-model.js'

/** Number of runs in the suite. Some hundreds take a minute: `npm run model -- --runs 500`. */
const RUNS = 30
for (const [title, ...happenings] of remembered) {
  t.test(title, async (t) => { await t.resolves(goThrough(happenings)) })
}

t.test('whatever happens: acknowledged events are forwarded in order, the file has each once, and none is skipped, lost or removed too early', async (t) => {
  const seed = Number(process.env['TIERHOOK_MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const runs = Number(process.env['TIERHOOK_MODEL_RUNS'] ?? RUNS)
  t.comment(`seed ${seed}: run with TIERHOOK_MODEL_SEED=${seed} to repeat, or npm run model -- --seed ${seed} --runs ${runs}`)
  let count = 0
  await runModel({ seed, runs, onRun: () => { count++ } })
  t.equal(count, runs)
})
