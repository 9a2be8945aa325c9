import t from 'tap'
import { dead, makeStore, newDelivery, openJournal, retry, settleAll, forwarded } from '../journal/sqlite/stored.js'
import { eventually } from '../support/eventually.js'
import { createHarness } from './harness.js'

t.test('every known forwarder is shown with its progress', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(...Array.from({ length: 3 }, () => newDelivery({ customerId: null })))
  await settleAll(http, ({ delivery: { sequence } }) => sequence === 1 ? dead() : retry())
  store.append(newDelivery())
  store.feed('quiet', { start: 'now' })
  const environment = { FORWARDERS: 'http,file', HTTP_FORWARDER_URL: 'http://127.0.0.1' }
  const table = createHarness({ environment })
  t.equal(await table.run('forwarders', '--data-dir', store.dataDir), 0)
  t.match(table.stdout.text, /^NAME +CONFIGURED +CURSOR +BACKLOG +RETRYING +DEAD +OLDEST +BREAKER\n/)
  t.match(table.stdout.text, /^http +yes +3 +3 +2 +1 +\d+ \S+.* -$/m)
  t.match(table.stdout.text, /^quiet +no +4 +0 +0 +0 +- +-$/m)
  t.match(table.stderr.text, 'Configured, but not in the store yet, because no service has run with it: file\n')
  const json = createHarness({ environment })
  t.equal(await json.run('forwarders', '--data-dir', store.dataDir, '--json'), 0)
  t.match(json.stdout.text.trimEnd().split('\n').map(line => JSON.parse(line)), [
    { name: 'http', cursor: 3, retrying: 2, dead: 1, backlog: 3, breaker: null, configured: true, oldestReceivedAt: /Z$/ },
    { name: 'quiet', backlog: 0, oldestReceivedAt: null, configured: false }
  ])
})

t.test('if no forwarder is known yet, the configured ones are shown', async t => {
  const store = makeStore(t)
  const harness = createHarness()
  t.equal(await harness.run('forwarders', '--data-dir', store.dataDir), 0)
  t.equal(harness.stdout.text, '')
  t.match(harness.stderr.text, 'no service has run with it: log')
})

t.test('an unconfigured forwarder is forgotten together with its backlog', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(...Array.from({ length: 700 }, () => newDelivery({ customerId: null })))
  await settleAll(http, ({ delivery: { sequence } }) => sequence === 1 ? dead() : retry())
  const stopped = createHarness()
  const running = stopped.run('forwarders', 'forget', 'http', '--data-dir', store.dataDir)
  while (stopped.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  stopped.signal('SIGINT')
  t.equal(await running, 130)
  t.match(stopped.stderr.text, 'Stopped half-way: run this command again')
  const harness = createHarness()
  t.equal(await harness.run('forwarders', 'forget', 'http', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, 'Forgot http, with 199 deliveries that it had yet to get and 1 dead letter\n')
  const again = createHarness()
  t.equal(await again.run('forwarders', 'forget', 'http', '--data-dir', store.dataDir), 2)
})

t.test('a configured forwarder is forgotten only by force, and never beside a running service', async t => {
  const store = await openJournal(t)
  await settleAll(await store.feed('log'), forwarded)
  const served = createHarness()
  t.equal(await served.run('forwarders', 'forget', 'log', '--force', '--data-dir', store.dataDir), 2)
  t.match(served.stderr.text, 'A service runs with the forwarder log')
  const table = createHarness()
  t.equal(await table.run('forwarders', '--data-dir', store.dataDir), 0)
  t.match(table.stdout.text, /closed$/m)
  await store.close()
  const refused = createHarness()
  t.equal(await refused.run('forwarders', 'forget', 'log', '--data-dir', store.dataDir), 2)
  t.match(refused.stderr.text, 'give --force if you want that')
  const forced = createHarness()
  t.equal(await forced.run('forwarders', 'forget', 'log', '--force', '--data-dir', store.dataDir), 0)
  t.match(forced.stdout.text, 'Forgot log, with 0 deliveries')
})

t.test('with --watch, forwarders are redrawn in place on a terminal, and printed below each other elsewhere, until Ctrl-C', async t => {
  const store = makeStore(t)
  store.feed('http')
  for (const terminal of [true, false]) {
    const harness = createHarness({ terminal, environment: { NO_COLOR: '1' } })
    const running = harness.run('forwarders', '--watch', '1', '--data-dir', store.dataDir)
    await eventually(() => harness.stdout.text.split('NAME').length > 2 ? true : undefined, 'the list to be shown twice')
    harness.signal('SIGINT')
    t.equal(await running, 0)
    // eslint-disable-next-line no-control-regex
    t.match(harness.stdout.text, terminal ? /^\u001B\[H\u001B\[2J\u001B\[HNAME .*\u001B\[K\nhttp .*\u001B\[K\n\u001B\[J\u001B\[HNAME/ : /^NAME .*\nhttp .*\n\nNAME .*\nhttp .*\n/)
  }
  const harness = createHarness()
  t.equal(await harness.run('forwarders', '--watch', '0', '--data-dir', store.dataDir), 2)
})
