import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatObservations } from '../../src/sender-watch/observations.js'
import { createHarness } from './harness.js'

const retryBudget = { sources: [] }
const unproven = { signedAt: null, knownAddresses: [], refused: [], addresses: [] }
const difference = {
  eventType: 'customer.loyalty.tier.left', kind: 'fault', pointer: '/data/customer/email', expected: 'must be a string', seen: 'number', count: 12, firstAt: 0, lastAt: 86_400_000
} as const

t.test('drift is shown as a table and as JSON', async (t) => {
  const dataDir = t.testdir()
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences: [difference, { ...difference, pointer: '', kind: 'unknown key' }], dropped: 7 }, retryBudget, unproven, missingEvents: [] }))
  const table = createHarness()
  t.equal(await table.run('drift', '--data-dir', dataDir), 0)
  t.match(table.stdout.text, /^COUNT +LAST +FIRST +TYPE +KIND +POINTER +EXPECTED +SEEN\n12 +1970-01-02T00:00:00Z +1970-01-01T00:00:00Z +customer\.loyalty\.tier\.left +fault +\/data\/customer\/email +must be a string +number$/m)
  t.match(table.stdout.text, '(the whole body)')
  t.equal(table.stderr.text, '7 more differences were met after the table was full.\n')
  const json = createHarness({ environment: { DATA_DIR: dataDir } })
  t.equal(await json.run('drift', '--json'), 0)
  t.strictSame(JSON.parse(json.stdout.text.split('\n')[0] ?? ''), { ...difference, firstAt: '1970-01-01T00:00:00.000Z', lastAt: '1970-01-02T00:00:00.000Z', advice: null })
})

t.test('the advice for each kind of drift appears once below the table', async (t) => {
  const dataDir = t.testdir()
  const differences = [1, 2].map((count) => ({ ...difference, kind: 'wrong direction', pointer: `/${count}` } as const))
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences, dropped: 0 }, retryBudget, unproven, missingEvents: [] }))
  const table = createHarness()
  t.equal(await table.run('drift', '--data-dir', dataDir), 0)
  t.match(table.stderr.text, /^wrong direction: A raw payload does not say which event it is.*\n$/)
})

t.test('no drift, no file and a damaged file are told apart', async (t) => {
  const dataDir = t.testdir()
  const absent = createHarness()
  t.equal(await absent.run('drift', '--data-dir', dataDir), 1)
  t.match(absent.stderr.text, /There is no observations\.json in .*--data-dir/)
  writeFileSync(join(dataDir, 'observations.json'), '{')
  const damaged = createHarness()
  t.equal(await damaged.run('drift', '--data-dir', dataDir), 1)
  t.match(damaged.stderr.text, 'cannot be read')
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences: [], dropped: 0 }, retryBudget, unproven, missingEvents: [] }))
  const nothing = createHarness()
  t.equal(await nothing.run('drift', '--data-dir', dataDir), 0)
  t.match(nothing.stderr.text, 'No event has differed')
})

t.test('drift is reset beside a running service or without one, and none is shown from then on', async (t) => {
  const dataDir = t.testdir()
  const absent = createHarness()
  t.equal(await absent.run('drift', 'reset', '--data-dir', dataDir), 1)
  t.match(absent.stderr.text, /There is no observations\.json in .*--data-dir/)
  t.notOk(existsSync(join(dataDir, 'drift-reset')), 'drift reset writes nothing into a folder that is not tierhook\'s')
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences: [difference], dropped: 7 }, retryBudget, unproven, missingEvents: [] }))
  const reset = createHarness({ environment: { DATA_DIR: dataDir } })
  t.equal(await reset.run('drift', 'reset'), 0)
  t.match(reset.stdout.text, 'Drift is forgotten')
  t.match(readFileSync(join(dataDir, 'operator-actions.ndjson'), 'utf8'), '"action":"reset drift"')
  const shown = createHarness()
  t.equal(await shown.run('drift', '--json', '--data-dir', dataDir), 0)
  t.equal(shown.stdout.text, '')
})

t.test('a link in place of the note is not followed', async (t) => {
  const dataDir = t.testdir({ other: 'of somebody else' })
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences: [difference], dropped: 7 }, retryBudget, unproven, missingEvents: [] }))
  symlinkSync(join(dataDir, 'other'), join(dataDir, 'drift-reset'))
  const reset = createHarness()
  t.equal(await reset.run('drift', 'reset', '--data-dir', dataDir), 1)
  t.match(reset.stderr.text, 'Drift cannot be reset in')
  t.equal(readFileSync(join(dataDir, 'other'), 'utf8'), 'of somebody else')
})
