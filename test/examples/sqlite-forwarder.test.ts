import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import type { CustomForwarder } from 'tierhook/forwarder'
import { forwarderContext, forwarderContract, sampleAttempt } from 'tierhook/testing'
import { createForwarder } from '../../examples/sqlite-forwarder/sqlite-forwarder.js'

const signal = new AbortController().signal

async function create (t: Test): Promise<{ readonly forwarder: CustomForwarder, readonly rows: () => readonly unknown[] }> {
  const folder = t.testdir()
  return {
    forwarder: await createForwarder({ path: 'events.db' }, forwarderContext({ folder })),
    rows () {
      const db = connect(join(folder, 'events.db'))
      try {
        return db.prepare('SELECT *, CAST(body AS TEXT) AS body FROM tier_events ORDER BY rowid').all()
      } finally {
        db.close()
      }
    }
  }
}

t.test('the example keeps the contract of forwarders', async (t) => {
  for (const { title, run } of forwarderContract(async () => (await create(t)).forwarder)) await t.test(title, async () => { await run() })
})

t.test('a delivery is one row with its bytes, however often it comes', async (t) => {
  const { forwarder, rows } = await create(t)
  await forwarder.start?.(null)
  const attempts = [sampleAttempt(), sampleAttempt({ index: 1, eventType: 'customer.loyalty.tier.left', receivedAt: Date.parse('2026-01-31T01:02:03Z') })]
  await forwarder.forward(attempts, { signal })
  await forwarder.forward(attempts.map((attempt) => ({ ...attempt, number: 2, replay: true })), { signal })
  await forwarder.close?.()
  t.match(rows(), attempts.map(({ delivery: { id, eventType, customerId, rawBody } }) => ({ id, event_type: eventType, customer_id: customerId, body: Buffer.from(rawBody).toString() })))
  t.match(rows()[1], { received_at: '2026-01-31T01:02:03.000Z', verdict: 'valid' })
})

t.test('a database that cannot be written fails the attempt and the check', async (t) => {
  const forwarder = await createForwarder({ path: '.' }, forwarderContext({ folder: t.testdir() }))
  await t.rejects(forwarder.start?.(null) ?? Promise.resolve())
  await t.rejects(forwarder.forward([sampleAttempt()], { signal }))
  await t.rejects(forwarder.check?.(signal) ?? Promise.resolve())
  await forwarder.close?.()

  const folder = t.testdir({ 'events.db': 'this is not a database, and it is long enough to be told from one'.repeat(20) })
  const damaged = await createForwarder({ path: 'events.db' }, forwarderContext({ folder }))
  await t.rejects(damaged.check?.(signal) ?? Promise.resolve(), { message: /not a database/ })
})

t.test('a wrong option stops the start', async (t) => {
  t.throws(() => createForwarder({}, forwarderContext()), { message: /path/ })
  t.throws(() => createForwarder({ path: 'a', table: 'b' }, forwarderContext()), { message: 'the option table is not known' })
})
