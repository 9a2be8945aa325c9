import t from 'tap'
import { join } from 'node:path'
import { connect } from '../../src/journal/sqlite/binding.js'
import { makeStore, newDelivery } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'

t.test('an intact store passes', async t => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 600 }, () => newDelivery()))
  const harness = createHarness({ terminal: true })
  t.equal(await harness.run('verify', '--data-dir', store.dataDir), 0)
  t.equal(harness.stdout.text, '600 deliveries checked, none damaged\n')
  t.match(harness.stderr.text, '\u001B[', 'the terminal shows a progress bar')
  const dumb = createHarness({ terminal: true, environment: { TERM: 'dumb' } })
  t.equal(await dumb.run('verify', '--data-dir', store.dataDir), 0)
  t.equal(dumb.stderr.text, '', 'a terminal that cannot overwrite a line gets no progress bar')
  const full = createHarness()
  t.equal(await full.run('verify', '--full', '--data-dir', store.dataDir), 0)
  t.equal(full.stdout.text, '600 deliveries checked, none damaged, the database is sound\n')
  t.equal(full.stderr.text, '')
  const stopped = createHarness()
  const running = stopped.run('verify', '--full', '--data-dir', store.dataDir)
  while (stopped.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  stopped.signal('SIGINT')
  t.equal(await running, 130)
})

t.test('damaged records are listed by their ids, and fail the command', async t => {
  const store = makeStore(t)
  const delivery = newDelivery()
  store.append(newDelivery(), delivery)
  const db = connect(join(store.dataDir, 'tierhook.db'))
  db.exec("UPDATE deliveries SET event_type = 'customer.loyalty.tier.lift' WHERE sequence = 2")
  const harness = createHarness()
  t.equal(await harness.run('verify', '--data-dir', store.dataDir), 1)
  t.match(harness.stdout.text, `damaged: ${delivery.id}\n2 deliveries checked, 1 damaged\n`)
  t.match(harness.stderr.text, 'not forwarded any more')
  const json = createHarness()
  t.equal(await json.run('verify', '--json', '--full', '--data-dir', store.dataDir), 1)
  t.same(JSON.parse(json.stdout.text), { checked: 2, damaged: [{ sequence: 2, id: delivery.id }], complaints: [], stopped: false })
  db.close()
})

t.test('complaints of the engine are passed on', async t => {
  const harness = createHarness({
    openOperator: () => ({
      lastSequence: async () => 1,
      verify: async () => ({ checked: 1, upTo: 1, damaged: [{ sequence: 1, id: null }], done: true }),
      checkFiles: async () => ['wrong # of entries in index'],
      close: async () => {}
    }) as never
  })
  t.equal(await harness.run('verify', '--full'), 1)
  t.match(harness.stdout.text, 'damaged: (sequence 1, its id cannot be read)\ndatabase: wrong # of entries in index\n')
})
