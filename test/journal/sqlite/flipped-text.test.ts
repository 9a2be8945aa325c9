import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openOperator } from '../../../src/composition/open-store.js'
import { connect } from '../../../src/journal/sqlite/binding.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { buildAdmin } from '../../support/build-admin.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, retry, settleAll } from './stored.js'

/** The distance between flipped text bytes in one run. 1 flips every byte. */
const STRIDE = Number(process.env['TIERHOOK_FLIP_STRIDE'] ?? 47)

/** A store with rows in each table, and the ids of its deliveries. */
async function fill (t: Test, dataDir: string): Promise<readonly string[]> {
  const store = makeStore(t, dataDir)
  const deliveries = Array.from({ length: 4 }, () => newDelivery())
  const quarantined = quarantinedDelivery()
  store.append(...deliveries, quarantined)
  await settleAll(store.feed('http', { start: 'beginning' }), ({ delivery }) => [forwarded, dead, retry][delivery.sequence % 3]?.() ?? forwarded())
  await settleAll(store.feed('file'), forwarded)
  store.close()
  const operator = openOperator({ dataDir })
  await operator.replay({ sequences: [3], forwarders: ['file'], finishedOnly: false, description: 'by hand', dryRun: false })
  await operator.close()
  return [...deliveries, quarantined].map(({ id }) => id)
}

/** The offsets of text: runs of printable characters, which include headers and bodies. */
function textPlaces (bytes: Buffer): readonly number[] {
  const places: number[] = []
  let run: number[] = []
  for (let at = 4096; at <= bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte >= 0x20 && byte < 0x7F) run.push(at)
    else {
      if (run.length >= 4) places.push(...run)
      run = []
    }
  }
  return places
}

t.test('no flipped byte of text ends the process, and no listing or delivery is a 5xx other than 503', async (t) => {
  const folder = t.testdir()
  const template = join(folder, 'template')
  const dataDir = join(folder, 'data')
  mkdirSync(template)
  mkdirSync(dataDir)
  const ids = await fill(t, template)
  copyFileSync(databasePath(template), databasePath(dataDir))
  const db = connect(databasePath(dataDir))
  db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE')
  db.close()
  const bytes = readFileSync(databasePath(dataDir))
  const places = textPlaces(bytes).filter((_, index) => index % STRIDE === 0)
  t.ok(places.length > 100, `${places.length} bytes`)
  const operator = openOperator({ dataDir })
  t.teardown(operator.close)
  let current = operator
  const admin = await buildAdmin(t, {
    operator: new Proxy(operator, { get: (_target, method) => Reflect.get(current, method) as unknown })
  })
  const paths = ['/api/deliveries', '/api/dead-letters', '/api/quarantine', '/api/forwarders', '/api/deliveries?status=pending', '/api/deliveries?status=waiting', ...ids.map((id) => `/api/deliveries/${id}`)]
  const wrong: string[] = []
  let unavailable = 0
  for (const at of places) {
    const damaged = Buffer.from(bytes)
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x80, at)
    writeFileSync(databasePath(dataDir), damaged)
    current = openOperator({ dataDir })
    for (const path of paths) {
      const { status } = await admin.get(path)
      if (status === 503) unavailable++
      else if (status >= 500) wrong.push(`byte ${at}: ${path} is ${status}`)
    }
    await current.close()
  }
  t.strictSame(wrong, [])
  t.comment(`${places.length} bytes flipped, ${unavailable} answers of ${places.length * paths.length} were 503`)
})
