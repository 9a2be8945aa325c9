import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatObservations } from '../../src/operations/observations.js'
import { createHarness } from './harness.js'

const patience = { known: [], sources: [] }
const difference = {
  eventType: 'customer.loyalty.tier.left', kind: 'fault', pointer: '/data/customer/email', expected: 'must be a string', seen: 'number', count: 12, firstAt: 0, lastAt: 86_400_000
} as const

t.test('what a service has noticed is shown as a table and as JSON', async (t) => {
  const dataDir = t.testdir()
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences: [difference, { ...difference, pointer: '', kind: 'unknown key' }], dropped: 7 }, patience, silence: [] }))
  const table = createHarness()
  t.equal(await table.run('drift', '--data-dir', dataDir), 0)
  t.match(table.stdout.text, /^COUNT +LAST +FIRST +TYPE +KIND +POINTER +EXPECTED +SEEN\n12 +1970-01-02T00:00:00Z +1970-01-01T00:00:00Z +customer\.loyalty\.tier\.left +fault +\/data\/customer\/email +must be a string +number$/m)
  t.match(table.stdout.text, '(the whole body)')
  t.match(table.stderr.text, '7 more differences')
  const json = createHarness({ environment: { DATA_DIR: dataDir } })
  t.equal(await json.run('drift', '--json'), 0)
  t.strictSame(JSON.parse(json.stdout.text.split('\n')[0] ?? ''), { ...difference, firstAt: '1970-01-01T00:00:00.000Z', lastAt: '1970-01-02T00:00:00.000Z' })
})

t.test('nothing noticed, nothing there and a damaged file are told apart', async (t) => {
  const dataDir = t.testdir()
  const absent = createHarness()
  t.equal(await absent.run('drift', '--data-dir', dataDir), 1)
  t.match(absent.stderr.text, /There is no observations\.json in .*--data-dir/)
  writeFileSync(join(dataDir, 'observations.json'), '{')
  const damaged = createHarness()
  t.equal(await damaged.run('drift', '--data-dir', dataDir), 1)
  t.match(damaged.stderr.text, 'cannot be read')
  writeFileSync(join(dataDir, 'observations.json'), formatObservations({ drift: { differences: [], dropped: 0 }, patience, silence: [] }))
  const nothing = createHarness()
  t.equal(await nothing.run('drift', '--data-dir', dataDir), 0)
  t.match(nothing.stderr.text, 'No event differed')
})
