import t from 'tap'
import { pileUp } from '../support/backlog.js'

t.test('a dead destination with a long backlog: acceptance and the file are not affected, memory is bounded, and all events arrive in order when it is back', async (t) => {
  const facts = await pileUp({ dataDir: t.testdir(), deliveries: 10_000 })
  t.comment(JSON.stringify(facts))
  t.equal(facts.arrived, facts.deliveries)
  t.strictSame(facts.outOfOrder, [])
  t.equal(facts.fileLines, facts.deliveries, 'each stands in the file once, through kill -9')
  t.strictSame(facts.health, [200, 200], 'a dead destination is nothing that another service would mend')
  t.ok(facts.waitingMiB < 300, `${facts.waitingMiB} MiB`)
  t.ok(facts.lastRate > facts.firstRate * 0.1, 'no cliff; the exact ratio is a matter of the benchmark')
  t.ok(facts.lastFileDelayMs < facts.firstFileDelayMs * 3 + 1000, `${facts.firstFileDelayMs} ms, then ${facts.lastFileDelayMs} ms`)
})
