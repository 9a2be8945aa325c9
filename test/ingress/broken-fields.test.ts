import t from 'tap'
import { catalogue, findEvent } from '../../src/voucherify/catalogue.js'
import { breakSample, sampleEnvelope } from '../../src/voucherify/samples.js'
import { buildService, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import { documented, documentedBody } from '../voucherify/support/fixtures.js'
import { placesOf, replaceAt } from '../voucherify/support/walk-schema.js'

interface Broken {
  readonly pointer: string
  readonly body: unknown
}

/** A documented body with one broken field: of a wrong type, missing, or null, if its schema forbids that. */
function * brokenBodies (type: (typeof documented)[number]): Generator<Broken> {
  const body = documentedBody(type)
  const schema = findEvent(type)?.bodySchema
  if (schema === undefined) throw new Error(`${type} has no schema`)
  for (const { pointer, path, required, nullable, wrong } of placesOf(schema, body)) {
    if (path.length === 0) continue
    yield { pointer, body: replaceAt(body, path, wrong) }
    if (required) yield { pointer, body: replaceAt(body, path, undefined) }
    if (!nullable) yield { pointer, body: replaceAt(body, path, null) }
  }
}

const proven = await buildService(t, signed)
const unproven = await buildService(t)

for (const type of documented) {
  t.test(`${type}: a broken field is reported by its pointer when unsigned, and quarantined when signed`, async t => {
    const broken = [...brokenBodies(type)]
    t.ok(broken.length > 50, `${broken.length} ways to break it`)
    const held: unknown[] = []
    await Promise.all(broken.map(async ({ pointer, body }, index) => {
      const envelope = envelopeAround(type, body, `${type}-${index}`)
      const bare = await unproven.post(`/webhooks/${type}`, body)
      t.match([bare.status, bare.body.errors], [422, [{ pointer, message: String }]], `${pointer}, bare`)
      t.equal(Object(bare.body.errors).length, 1, `${pointer} is the only fault, bare`)
      const enveloped = await unproven.post('/webhooks', envelope)
      t.match([enveloped.status, enveloped.body.errors], [422, [{ pointer: `/data${pointer}`, message: String }]], `${pointer}, in an envelope`)
      t.equal(Object(enveloped.body.errors).length, 1, `${pointer} is the only fault, in an envelope`)
      for (const [path, sent] of [['/webhooks', envelope], [`/webhooks/${type}`, { ...Object(body), index }]] as const) {
        const answer = await proven.post(path, sent)
        t.match(answer, { status: 202, body: { verdict: 'invalid' } }, `a signed event with a broken ${pointer} is accepted`)
        held.push(answer.body.id)
      }
    }))
    // Forwarding keeps the order, so when this event is there, all earlier ones are too.
    const last = await proven.post(`/webhooks/${type}`, { ...Object(documentedBody(type)), last: type })
    await proven.forwarded.find(({ deliveryId }) => deliveryId === last.body.id)
    t.strictSame(proven.forwarded.lines.filter(({ deliveryId }) => held.includes(deliveryId)), [], 'no quarantined event is forwarded')
    const warned = proven.log.find('webhook quarantined').map(({ deliveryId }) => deliveryId)
    t.ok(held.every((id) => warned.includes(id)), 'each event is logged as quarantined')
  })
}

t.test('any broken field of any event is refused or quarantined, and never an internal error', async t => {
  await Promise.all(catalogue.flatMap(({ type, alsoKnown }) => Array.from({ length: 12 }, async (_, index) => {
    const body = breakSample(sampleEnvelope(type, { index, now: new Date(), seed: 'broken' }), index)
    const refused = await unproven.post(`/webhooks/${type}`, body)
    t.match(refused, { status: 422, body: { errors: [{ pointer: alsoKnown ? '/data' : /^\/data\/campaign/ }] } }, type)
    t.match(await proven.post(`/webhooks/${type}`, body), { status: 202, body: { verdict: 'invalid' } })
  })))
})

t.test('all faults are reported at once, and at most fifty', async t => {
  const body = Object(documentedBody('customer.loyalty.tier.left'))
  const several = await unproven.post('/webhooks/customer.loyalty.tier.left', { ...body, customer: 1, created_at: 2, loyalty_tier: 3 })
  t.strictSame(Object(several.body.errors).map(({ pointer }: { pointer: string }) => pointer).sort(), ['/created_at', '/customer', '/loyalty_tier'])
  t.match(several.body.detail, 'in 3 places')
  const many = await unproven.post('/webhooks/customer.loyalty.tier.left', { ...body, campaign: { categories: Array.from({ length: 500 }, () => 0) } })
  t.equal(Object(many.body.errors).length, 50)
})

t.test('only the branch of a discount that applies reports faults', async t => {
  const body = Object(documentedBody('customer.loyalty.tier.left'))
  const discount = { type: 'UNIT', unit_type: 5 }
  const voucher = { ...body.campaign.voucher, type: 'DISCOUNT_VOUCHER', discount }
  const answer = await unproven.post('/webhooks/customer.loyalty.tier.left', { ...body, campaign: { ...body.campaign, voucher } })
  t.strictSame(answer.body.errors, [{ pointer: '/campaign/voucher/discount/unit_type', message: 'must be a string' }])
})
