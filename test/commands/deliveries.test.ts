import t from 'tap'
import { StoreError } from '../../src/delivery/operator.js'
import { destroyPage, quarantinedDelivery, makeStore, newDelivery, now, settleAll, forwarded, dead, retry } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'
import { printable, printableText } from '../../src/terminal/printable.js'

function lines (text: string): Array<Record<string, unknown>> {
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

t.test('deliveries are listed newest first as a table, with their status', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const first = newDelivery({ receivedAt: now })
  store.append(first)
  await settleAll(http, dead)
  store.feed('file', { start: 'now' })
  const waits = newDelivery({ customerId: 'evil\u001B[31m' })
  store.append(waits, quarantinedDelivery({ customerId: null }))
  await settleAll(http, retry)
  const harness = createHarness()
  t.equal(await harness.run('deliveries', '--data-dir', store.dataDir), 0)
  const rows = harness.stdout.text.trimEnd().split('\n')
  t.equal(rows.length, 4)
  t.match(rows[0], /^ID +RECEIVED +TYPE +VERDICT +STATUS +CUSTOMER$/)
  t.match(rows[1], /invalid +quarantined +-$/)
  t.match(rows[2], /valid +file pending, http retrying +evil\\u001b\[31m$/, 'control characters are escaped')
  t.match(rows[3], new RegExp(`^${first.id} +2026-03-01T12:00:00Z +customer.loyalty.tier.left +valid +dead +cust_1$`))
  t.equal(harness.stderr.text, '')

  const one = createHarness()
  await one.run('deliveries', '--data-dir', store.dataDir, '--forwarder', 'file', '--until', '2026-03-01T12:00:00.500Z')
  t.match(one.stdout.text, /valid +before-start +cust_1$/m)
})

t.test('the readable part of a damaged database is listed, and the damage is reported', async t => {
  const store = makeStore(t)
  const made = Array.from({ length: 60 }, () => newDelivery({ customerId: null }))
  store.append(...made, quarantinedDelivery())
  store.close()
  destroyPage(store.dataDir, 1)

  const harness = createHarness({ environment: { DATA_DIR: store.dataDir } })
  t.equal(await harness.run('deliveries', '--json', '--limit', '100'), 1)
  const sequences = lines(harness.stdout.text).map(({ sequence }) => Number(sequence))
  const lost = Array.from({ length: 61 }, (_, index) => 61 - index).filter(sequence => !sequences.includes(sequence))
  t.ok(lost.length > 0 && lost.length < 40 && !lost.includes(1), `${lost.length} deliveries cannot be read`)
  t.same(sequences, [...sequences].sort((a, b) => b - a), 'newest first')
  t.match(harness.stderr.text, `tierhook: The database is damaged: ${lost.length} deliveries cannot be read, from sequence ${lost.at(-1)} to ${lost[0]}. `)

  const above = createHarness({ environment: { DATA_DIR: store.dataDir } })
  t.equal(await above.run('deliveries', '--limit', '5'), 0, 'a page without damaged deliveries exits with 0')
  t.equal(above.stderr.text.trimEnd().split('\n').length, 1)
  const pages = createHarness({ environment: { DATA_DIR: store.dataDir } })
  t.equal(await pages.run('deliveries', '--json', '--before', made[4]?.id ?? ''), 0)
  t.same(lines(pages.stdout.text).map(({ sequence }) => sequence), [4, 3, 2, 1])
  t.equal(await pages.run('quarantine', '--json'), 0)
})

t.test('the list ends if too much is damaged, and says at which delivery', async t => {
  const readable = createHarness({
    openOperator: () => ({
      lastSequence: async () => 1_000_000,
      list: async () => { throw new StoreError('STORE_DAMAGED', 'all of it') },
      close: async () => {}
    }) as never
  })
  t.equal(await readable.run('deliveries'), 1)
  t.match(readable.stderr.text, /to 1000000, and what is older than sequence \d+ was not looked for\. /)
})

t.test('a store without forwarders shows no status', async t => {
  const store = makeStore(t)
  store.append(newDelivery())
  const harness = createHarness()
  t.equal(await harness.run('deliveries', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, /valid +- +cust_1$/m)
})

t.test('no line is wider than the terminal', async t => {
  const store = makeStore(t)
  store.append(quarantinedDelivery({ customerId: 'cust_3a5d020c0eda' }))
  const harness = createHarness({ terminal: true, environment: { NO_COLOR: '1' } })
  t.equal(await harness.run('deliveries', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, /^ID +RECEIVED +TYPE +VERDICT +STATUS +CUSTOMER\n/)
  for (const [columns, titles] of [[80, /^ID +RECEIVED +TYPE +VERDICT +STATUS +CUSTOMER\n/], [60, /^ID +RECEIVED +TYPE +STATUS\n/]] as const) {
    const narrow = createHarness({ terminal: true, environment: { NO_COLOR: '1' } })
    narrow.stdout.columns = columns
    t.equal(await narrow.run('deliveries', '--data-dir', store.dataDir), 0)
    t.match(narrow.stdout.text, titles)
    for (const line of narrow.stdout.text.trimEnd().split('\n')) t.ok(line.length <= columns, `${line.length} characters`)
  }
})

t.test('a terminal that does not know its width gets whole lines', async t => {
  const store = makeStore(t)
  store.append(newDelivery())
  const harness = createHarness({ terminal: true, environment: { NO_COLOR: '1' } })
  harness.stdout.columns = 0
  t.equal(await harness.run('deliveries', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, /CUSTOMER\n.* cust_1\n$/)
  t.equal(await harness.run('prune', '--help'), 0)
  t.match(harness.stdout.text, 'remove now what the settings RETENTION_… no longer keep; the service also')
})

t.test('characters that have no width, change direction or are half a character cannot hide in a line', async t => {
  const store = makeStore(t)
  store.append(newDelivery({ customerId: 'a\u200F\u061C\u200Bb\uFEFF\u{E0041}c' }), newDelivery({ customerId: 'Zoë 日本 👩\u200D👧' }))
  const harness = createHarness()
  t.equal(await harness.run('deliveries', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, ' a\\u200f\\u061c\\u200bb\\ufeff\\udb40\\udc41c\n')
  t.match(harness.stdout.text, ' Zoë 日本 👩\u200D👧\n')
  const json = createHarness()
  t.equal(await json.run('deliveries', '--json', '--data-dir', store.dataDir), 0)
  t.notMatch(json.stdout.text, /[\u200F\u{E0041}]/u)
  t.match(lines(json.stdout.text), [{}, { customerId: 'a\u200F\u061C\u200Bb\uFEFF\u{E0041}c' }], 'JSON output keeps the text as sent')
  t.equal(printable('\uD800x\uDC00'), '\\ud800x\\udc00')
  t.equal(printableText('a\n\tb\u200E\r'), 'a\n\tb\\u200e\\u000d')
})

t.test('deliveries are printed as JSON, page by page, and filtered', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const [a, b, c] = [newDelivery({ customerId: null }), newDelivery({ eventType: 'campaign.x', customerId: null }), newDelivery({ customerId: null })]
  store.append(a, b, c)
  await settleAll(http, ({ delivery: { id } }) => id === a.id ? retry() : id === b.id ? dead() : forwarded())
  const harness = createHarness({ environment: { DATA_DIR: store.dataDir } })
  t.equal(await harness.run('deliveries', '--json', '--limit', '2'), 0)
  t.match(lines(harness.stdout.text), [{ id: c.id, receivedAt: /Z$/, forwarders: [{ status: 'forwarded' }] }, { id: b.id, forwarders: [{ status: 'dead', diedAt: /Z$/ }] }])
  t.equal(harness.stderr.text, '')

  const next = createHarness({ environment: { DATA_DIR: store.dataDir } })
  t.equal(await next.run('deliveries', '--before', b.id, '--limit', '1'), 0)
  t.match(next.stdout.text, a.id)
  t.match(next.stderr.text, `add --before ${a.id}`)

  for (const [args, expected] of [
    [['--status', 'dead', '--forwarder', 'http'], [b.id]],
    [['--type', 'campaign.*'], [b.id]],
    [['--verdict', 'invalid'], []],
    [['--customer', 'nobody'], []],
    [['--campaign', 'camp_1', '--source', 'distr_1', '--status', 'forwarded'], [c.id]],
    [['--since', '1s'], [c.id, b.id, a.id].filter(() => now > Date.now())]
  ] as const) {
    const filtered = createHarness({ environment: { DATA_DIR: store.dataDir } })
    t.equal(await filtered.run('deliveries', '--json', ...args), 0)
    t.same(lines(filtered.stdout.text).map(({ id }) => id), expected, args.join(' '))
  }
  const none = createHarness({ environment: { DATA_DIR: store.dataDir } })
  t.equal(await none.run('deliveries', '--type', 'nothing.*'), 0)
  t.match(none.stderr.text, 'No delivery matches.')
})

t.test('a wrong filter is refused with the right form', async t => {
  const store = makeStore(t)
  store.append(newDelivery())
  store.feed('http')
  for (const [args, expected] of [
    [['--since', 'yesterday'], 'a span before now such as'],
    [['--since', '2026-13-45'], 'It must be a time'],
    [['--since', '2026-02-30'], 'It must be a time'],
    [['--until', '2026-11-31T08:00:00Z'], 'It must be a time'],
    [['--status', 'deaf'], 'Allowed choices are pending, retrying, dead'],
    [['--forwarder', 'htp'], 'no forwarder "htp": did you mean http? It knows http'],
    [['--before', 'ffff'], 'no delivery whose id is, or begins with, ffff'],
    [['--before', '%'], '"%" is not a delivery\'s id']
  ] as const) {
    const harness = createHarness()
    t.equal(await harness.run('deliveries', '--data-dir', store.dataDir, ...args), 2, args.join(' '))
    t.match(harness.stderr.text, expected)
  }
})

t.test('a folder without a store, and a wrong configuration, are reported in one line', async t => {
  const harness = createHarness({ directory: t.testdir() })
  t.equal(await harness.run('deliveries', '--data-dir', 'nowhere'), 1)
  t.match(harness.stderr.text, /^tierhook: There is no tierhook\.db in .*nowhere: name the right data folder[^\n]*\n$/)
  const wrong = createHarness({ environment: { RETENTION_DAYS: 'x' } })
  t.equal(await wrong.run('deliveries'), 2)
  t.match(wrong.stderr.text, 'RETENTION_DAYS')
  const broken = createHarness({ openOperator: () => { throw new TypeError('a defect') } })
  await t.rejects(broken.run('deliveries'), { message: 'a defect' })
})

t.test('forwarders are unknown before the first service has run', async t => {
  const store = makeStore(t)
  const harness = createHarness()
  t.equal(await harness.run('dead-letters', '--data-dir', store.dataDir, '--forwarder', 'http'), 2)
  t.match(harness.stderr.text, 'it knows none yet')
})
