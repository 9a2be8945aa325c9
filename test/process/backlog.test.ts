import t from 'tap'
import { pileUp } from '../support/backlog.js'

t.test('a dead destination with a long backlog: acceptance and the file are not affected, memory is bounded, and all events arrive in order when it is back', async (t) => {
  const facts = await pileUp({ dataDir: t.testdir(), deliveries: 10_000 })
  t.comment(JSON.stringify(facts))
  t.equal(facts.arrived, facts.deliveries)
  t.strictSame(facts.outOfOrder, [])
  t.equal(facts.fileLines, facts.deliveries, 'the file has each event once, despite kill -9')
  t.strictSame(facts.health, [200, 200], 'a dead destination does not fail a health check, because a restart would not help')
  t.ok(facts.waitingMiB < 300, `${facts.waitingMiB} MiB`)
  t.ok(facts.lastRate > facts.firstRate * 0.1, 'the rate does not collapse (the benchmark measures the exact ratio)')
  t.ok(facts.lastFileDelayMs < facts.firstFileDelayMs * 3 + 1000, `${facts.firstFileDelayMs} ms, then ${facts.lastFileDelayMs} ms`)
})
