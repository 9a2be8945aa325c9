import t from 'tap'
import { dead, forwarded, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'

t.test('deliveries that are old and forwarded everywhere are counted and removed', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(...Array.from({ length: 450 }, () => newDelivery({ receivedAt: 1000, customerId: null })), newDelivery({ receivedAt: Date.now() }))
  await settleAll(http, ({ delivery: { sequence } }) => sequence === 1 ? dead() : forwarded())
  const dry = createHarness({ environment: { RETENTION_DAYS: '7', RETENTION_MAX_BYTES: '1' } })
  t.equal(await dry.run('prune', '--dry-run', '--data-dir', store.dataDir), 0)
  t.match(dry.stdout.text, '449 deliveries would be removed: received more than RETENTION_DAYS (7) days ago\n')
  t.match(dry.stdout.text, /larger than RETENTION_MAX_BYTES/)
  const fits = createHarness()
  t.equal(await fits.run('prune', '--dry-run', '--data-dir', store.dataDir), 0)
  t.notMatch(fits.stdout.text, 'RETENTION_MAX_BYTES')

  const stopped = createHarness()
  const running = stopped.run('prune', '--data-dir', store.dataDir)
  while (stopped.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  stopped.signal('SIGINT')
  t.equal(await running, 130)
  const harness = createHarness({ terminal: true })
  t.equal(await harness.run('prune', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, /^\d+ deliveries removed\n$/)
  const list = createHarness()
  await list.run('deliveries', '--json', '--data-dir', store.dataDir)
  t.equal(list.stdout.text.trimEnd().split('\n').length, 2, 'the dead letter and the recent delivery stay')
})
