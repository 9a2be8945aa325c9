import t from 'tap'
import { dead, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'

t.test('dead letters are listed with their reasons, in pages, and as JSON', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const [first, second] = [newDelivery({ customerId: null }), newDelivery({ eventType: 'campaign.x' })]
  store.append(first, second)
  await settleAll(http, dead)
  const table = createHarness()
  t.equal(await table.run('dead-letters', '--data-dir', store.dataDir), 0)
  t.match(table.stdout.text, /^ID +DIED +FORWARDER +ATTEMPTS +TYPE +CUSTOMER +REASON\n/)
  t.match(table.stdout.text, new RegExp(`^${second.id} +\\S+Z +http +1 +campaign.x +cust_1 +status 410$`, 'm'))
  t.match(table.stdout.text, / - +status 410$/m)

  const page = createHarness()
  t.equal(await page.run('dead-letters', '--data-dir', store.dataDir, '--limit', '1', '--forwarder', 'http'), 0)
  t.match(page.stderr.text, `add --before ${second.id}`)
  const next = createHarness()
  t.equal(await next.run('dead-letters', '--data-dir', store.dataDir, '--before', second.id, '--json'), 0)
  t.match(JSON.parse(next.stdout.text), { id: first.id, forwarder: 'http', diedAt: /Z$/, reason: 'status 410', replaying: false })

  await createHarness().run('replay', first.id, '--data-dir', store.dataDir)
  const replaying = createHarness()
  t.equal(await replaying.run('dead-letters', '--data-dir', store.dataDir, '--type', 'customer.*'), 0)
  t.match(replaying.stdout.text, '(being replayed) status 410')

  const none = createHarness()
  t.equal(await none.run('dead-letters', '--data-dir', store.dataDir, '--type', 'x'), 0)
  t.match(none.stderr.text, 'There are no dead letters.')
  const unknown = createHarness()
  t.equal(await unknown.run('dead-letters', '--data-dir', store.dataDir, '--forwarder', 'x'), 2)
})
