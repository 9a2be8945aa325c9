import t from 'tap'
import { crashRounds } from '../support/crash-rounds.js'

t.test('killed 20 times under load: acknowledged events are forwarded exactly once, no line is torn, and no refused event is stored', async (t) => {
  const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`seed ${seed}: run with CRASH_SEED=${seed} to repeat`)
  const facts = await crashRounds({ dataDir: t.testdir(), rounds: 20, seed })
  t.comment(JSON.stringify({ ...facts, lost: facts.lost.length, twice: facts.twice.length }))
  t.ok(facts.acknowledged > 100)
  t.ok(facts.duplicates > 0, 'the sender sent duplicates')
  t.strictSame(facts.lost, [])
  t.strictSame(facts.twice, [])
  t.strictSame(facts.refusedAndStored, [])
  t.equal(facts.torn, 0)
})
