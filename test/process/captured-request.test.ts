import { createHmac } from 'node:crypto'
import t from 'tap'
import { createHarness } from '../commands/harness.js'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { eventually } from '../support/eventually.js'
import { readLines } from '../support/crash-rounds.js'
import { PROCESS_SECRET, startServiceProcess } from '../support/service-process.js'
import { storedAsJsonb } from '../voucherify/support/stored-as-jsonb.js'

const UPGRADED = 'customer.loyalty.tier.upgraded'
const now = new Date()

/** A captured request. Its signature can be sent again with any body to any path. */
interface Captured {
  readonly path: string
  readonly text: string
  readonly signature: string
}

function capture (path: string, body: unknown): Captured {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { path, text, signature: createHmac('sha256', PROCESS_SECRET).update(text).digest('hex') }
}

const envelope = capture('/webhooks', sampleEnvelope(UPGRADED, { index: 0, now }))
const bare = capture(`/webhooks/${UPGRADED}`, sampleEvent(UPGRADED, { index: 1, now }))
/** The event has no tier, so it is quarantined. */
const incomprehensible = capture(`/webhooks/${UPGRADED}`, { customer: { id: 'cust_1' }, loyalty_tier_to: [], created_at: now.toISOString() })
const text = capture('/webhooks', '  message  ')
const originals = [envelope, bare, incomprehensible, text]

const dataDir = t.testdir()
const service = await startServiceProcess(dataDir)
t.teardown(async () => { await service.kill('SIGKILL') })

async function post (captured: Captured, { path = captured.path, text = captured.text }: Partial<Captured> = {}): Promise<number> {
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-voucherify-signature': captured.signature }, body: text
  })
  await response.text()
  return response.status
}

/** The stored deliveries, forwarded or quarantined. */
async function stored (): Promise<number> {
  const harness = createHarness({ environment: { DATA_DIR: dataDir }, directory: dataDir })
  if (await harness.run('deliveries', '--json', '--limit', '1000') !== 0) throw new Error(harness.stderr.text)
  return harness.stdout.text.split('\n').filter((line) => line !== '').length
}

t.test('the captured request was new when it arrived', async t => {
  for (const captured of originals) t.equal(await post(captured), 202)
  t.equal(await stored(), originals.length)
})

t.test('twenty copies with white space inside tokens store nothing new', async t => {
  const gaps = [' ', '  ', '\t', '\n', '\r\n']
  const mangled = [envelope, bare].flatMap((captured) => gaps.flatMap((gap) => [
    { captured, text: captured.text.replace('null', `nu${gap}ll`) },
    { captured, text: captured.text.replace(/:(\d)(\d)/, `:$1${gap}$2`) }
  ]))
  t.equal(mangled.length, 20)
  for (const { captured, text } of mangled) {
    t.not(text, captured.text)
    t.equal(await post(captured, { text }), 401)
  }
  t.equal(await post(text, { text: ' message ' }), 401)
  t.equal(await stored(), originals.length)
})

t.test('copies with white space between tokens are duplicates', async t => {
  for (const captured of [envelope, bare, incomprehensible]) {
    for (const text of [`${captured.text} `, JSON.stringify(JSON.parse(captured.text), null, 2), captured.text.replaceAll(',"', '\r\n,\t"')]) {
      t.equal(await post(captured, { text }), 200)
    }
  }
  for (const captured of originals) t.equal(await post(captured), 200)
  t.equal(await stored(), originals.length)
})

t.test('a copy with its keys in the order of the sender\'s database is a duplicate', async t => {
  t.equal(await post(capture(bare.path, storedAsJsonb(JSON.parse(bare.text)))), 200)
  t.equal(await stored(), originals.length)
})

t.test('thirty made-up custom names store nothing', async t => {
  for (let index = 0; index < 30; index++) {
    for (const captured of originals) t.equal(await post(captured, { path: `/webhooks/custom/name-${index}` }), 404)
  }
  t.equal(await stored(), originals.length)
})

t.test('a captured body at any other URL is a duplicate, and nothing more is forwarded', async t => {
  for (const path of ['/webhooks', '/webhooks/customer.loyalty.tier.downgraded', '/webhooks/EVENTS.CUSTOMER.LOYALTY.TIER.JOINED', '/webhooks/campaign.loyalty_tier.updated']) {
    for (const captured of originals) t.equal(await post(captured, { path }), 200, path)
  }
  t.equal(await stored(), originals.length)
  await eventually(() => readLines(dataDir).ids.length >= 2 ? true : undefined, 'the valid events to be in the file')
  t.equal(readLines(dataDir).ids.length, 2)
})
