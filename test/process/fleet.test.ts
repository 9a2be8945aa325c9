import t from 'tap'
import { startFleet } from '../support/fleet.js'
import { loseDatabase, restartDatabase } from '../support/fleet-database-faults.js'
import { msUntilForwarded } from '../support/fleet-facts.js'
import { killLeader, sendEverywhere, stopLeader } from '../support/fleet-faults.js'
import { noPostgres, startPostgres } from '../support/postgres-server.js'

const faults = [
  ['the database restarts at once', restartDatabase],
  ['the database restarts once more', restartDatabase],
  ['the leader is killed', killLeader],
  ['the leader is stopped for longer than its lease, and goes on', stopLeader],
  ['the database is away for a while', loseDatabase]
] as const

// A longer run with more faults: npm run fleet.
t.test('three replicas keep their promises while replicas and the database fail', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  const fleet = await startFleet(t, { server, replicas: 3, seed: 1, latestAnswerMs: 9000 })
  await msUntilForwarded(fleet)
  await sendEverywhere(fleet, 100)
  for (const [title, fault] of faults) {
    // Times are checked only by the run that has the machine to itself.
    const { ms } = await fault(fleet, { full: false })
    t.pass(`${title}: forwarding again after ${Math.round(ms)} ms`)
  }
  await fleet.finish()
  t.strictSame(fleet.violations, [])
  t.comment(`${fleet.sent.length} sent, ${fleet.sent.filter(({ deliveryId }) => deliveryId !== undefined).length} accepted, ${fleet.copies()} forwarded again`)
  for (const replica of fleet.replicas) t.equal(await replica.kill('SIGTERM'), 0)
})
