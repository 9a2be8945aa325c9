import fc from 'fast-check'
import t from 'tap'
import { v7 as newId } from 'uuid'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import { journalWebhook } from '../../src/ingress/accept.js'
import { authenticate } from '../../src/ingress/authenticate.js'
import { readWebhook } from '../../src/ingress/parsed-webhook.js'
import { databasePath } from '../../src/journal/sqlite/database.js'
import { packAppends, unpackAppends } from '../../src/journal/sqlite/packed-appends.js'
import { createReader } from '../../src/journal/sqlite/reader.js'
import { createWriter } from '../../src/journal/sqlite/writer.js'
import { parseBody } from '../../src/voucherify/parse-body.js'

/** Any text that a JSON string can contain: also control characters, U+0000 and halves of surrogate pairs. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.array(fc.integer({ min: 0xD7FE, max: 0xE001 }), { maxLength: 4 }).map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom('\0', 'a\0b', '\uFEFF', '\uFFFF', '\u2028', '\x7F', '"\\/', '\n')
)
const anyValue = fc.oneof({ weight: 9, arbitrary: anyText }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) })
const anyEnvelope = fc.record({
  id: anyValue,
  project_id: anyValue,
  source: fc.record({ id: anyValue, object: anyValue }),
  event: fc.record({ id: anyValue, type: fc.constantFrom('customer.loyalty.tier.left', 'a.b') }),
  data: fc.record({ customer: fc.record({ id: anyValue }), campaign: fc.record({ id: anyValue }), x: anyValue })
})

/** The stored form of such a webhook. */
async function accepted (body: unknown): Promise<NewDelivery> {
  const rawBody = Buffer.from(JSON.stringify(body))
  const faults = [{ pointer: `/data/${JSON.stringify(body).slice(0, 50)}`, message: 'is wrong' }]
  const parsed = readWebhook({ rawBody, parsed: parseBody(rawBody), expected: { kind: 'any' }, faults })
  let stored: NewDelivery | undefined
  const append = async (delivery: NewDelivery): Promise<never> => {
    stored = delivery
    throw new Error('kept')
  }
  const journal = { append, openFeed: async () => await Promise.reject(new Error('unused')), close: async () => {} }
  const webhook = { rawBody, proof: authenticate(rawBody, {}, []), parsed, quarantined: false, late: false, times: undefined, faults }
  await journalWebhook(webhook, { 'content-type': 'application/json' }, { journal, newId: () => newId(), now: () => 1, dedupeUnidentifiedMs: 0 }).catch(() => undefined)
  if (stored === undefined) throw new Error('nothing was stored')
  return stored
}

t.test('any event is read back as it was stored, and none is taken for damaged', async (t) => {
  const path = databasePath(t.testdir())
  const writer = createWriter(() => 1)
  const reader = createReader(() => 1)
  writer.open({ path, dedupeWindowMs: 1000, withdrawn: [] })
  reader.open(path)
  t.teardown(() => {
    writer.close()
    reader.close()
  })
  let after = 0
  await fc.assert(fc.asyncProperty(fc.array(anyEnvelope, { minLength: 1, maxLength: 20 }), async (envelopes) => {
    const deliveries = await Promise.all(envelopes.map(accepted))
    // One by one, because duplicates are not tested here.
    const { appends } = writer.commit({ withdraw: [], progress: [], appends: unpackAppends(packAppends(deliveries.map((delivery) => ({ ...delivery, dedupeKey: null })))) })
    const sequences = appends.map(Number)
    const visible = sequences.at(-1) ?? 0
    const page = reader.readAfter({ after, visible, limit: 100, limitBytes: 1e9 })
    const one = reader.readMany(sequences)
    after = visible
    if (page.damaged.length + one.damaged.length > 0) throw new Error('taken for damaged')
    for (const found of [page, one]) {
      const read = found.deliveries
      if (read.length !== deliveries.length) throw new Error(`${read.length} of ${deliveries.length} were read`)
      for (const [index, delivery] of deliveries.entries()) {
        for (const name of ['id', 'eventType', 'sourceObject', 'sourceId', 'eventId', 'projectId', 'customerId', 'campaignId', 'faults', 'rawBody'] as const) {
          const [was, is] = [delivery[name], read[index]?.[name]].map((value) => value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value))
          if (was !== is) throw new Error(`${name} was ${was} and is ${is}`)
        }
      }
    }
  }), { numRuns: 300 })
  t.ok(after > 1000)
})
