import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { catalogue, findEvent } from '../../src/voucherify/catalogue.js'
import { allSchemas, eventSchemas, schemaBundle } from '../../src/voucherify/json-schema.js'
import type { JsonSchema } from '../../src/voucherify/schema-writer.js'
import { breakSample, sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { documented, documentedBody } from './support/fixtures.js'
import { envelope } from './support/full-objects.js'

const now = new Date('2026-03-01T00:00:00Z')

/** The strictest validator: an unknown keyword, a keyword of another draft or an unknown format is an error. */
function strictAjv (): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allErrors: true, validateSchema: true })
  addFormats.default(ajv)
  return ajv
}

/** The schema as a consumer reads it from a file. */
function read (schema: JsonSchema): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema))
}

for (const event of catalogue) {
  t.test(`${event.type}: a strict validator accepts the schemas, and finds samples valid and broken ones not`, async t => {
    const { body, envelope } = eventSchemas(event)
    for (const [name, schema] of [[event.type, body.schema], [`${event.type}.envelope`, envelope.schema]] as const) {
      t.match(schema, { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `urn:tierhook:schema:${name}`, title: /\S/ })
    }
    const [isBody, isEnvelope] = [strictAjv().compile(read(body.schema)), strictAjv().compile(read(envelope.schema))]
    for (let index = 0; index < 60; index++) {
      const sample = sampleEnvelope(event.type, { index, now })
      const broken = breakSample(sample, index)
      const verdicts = [isBody(sampleEvent(event.type, { index, now })), isEnvelope(sample), isBody(broken.data), isEnvelope(broken)]
      t.strictSame(verdicts, [true, true, false, false], `sample ${index}: ${JSON.stringify(isEnvelope.errors)}`)
    }
  })
}

t.test('documented bodies are valid by the schemas, and so are bodies with drift', async t => {
  for (const type of documented) {
    const event = findEvent(type)
    if (event === undefined) throw new Error(`${type} has no schema`)
    const { body, envelope: around } = eventSchemas(event)
    t.ok(strictAjv().compile(read(body.schema))(documentedBody(type)), type)
    const drifting = { ...envelope, event: { type, event_source: { channel: 'A_NEW_CHANNEL' } }, data: { ...Object(documentedBody(type)), unknown: 1 } }
    t.ok(strictAjv().compile(read(around.schema))(drifting), type)
  }
})

t.test('facts of the documents that the schema does not require are annotations', async t => {
  const { schema } = eventSchemas(findEvent('campaign.loyalty_tier.updated') ?? catalogue[0]).body
  const text = JSON.stringify(schema)
  t.match(text, '"examples":["AUTO_UPDATE","STATIC","STANDALONE"]')
  t.match(text, '"$comment":"The documents require this key."')
  t.match(text, '"$comment":"must have a campaign or a loyalty_tier"')
  t.notMatch(text, /documentedKey|documentedValues|errorMessage/)
})

t.test('parts that events share have a name, and are written once in a document', async t => {
  for (const schema of [eventSchemas(catalogue[2]).envelope.schema, schemaBundle()]) {
    t.match(schema['$defs'], { Campaign: { properties: Object }, Customer: Object, LoyaltyTier: Object, Source: Object })
    t.equal(JSON.stringify(schema).split('How a referral campaign counts and rewards').length - 1, 2, 'the text appears twice: in the definition and where it is referred to')
  }
})

t.test('one document with all schemas is a schema too, and its parts can be referred to by name', async t => {
  const ajv = strictAjv()
  ajv.addSchema(read(schemaBundle()))
  const names = allSchemas().map(({ name }) => name)
  t.equal(names.length, catalogue.length * 2 + 1)
  t.equal(new Set(names).size, names.length)
  const named = (name: string) => ajv.getSchema(`urn:tierhook:schema:all#/$defs/${name}`)
  for (const name of names) t.type(named(name), 'function', name)
  const isEnvelope = named('envelope')
  t.ok(isEnvelope?.(sampleEnvelope('customer.rewarded', { index: 0, now })))
  t.notOk(isEnvelope?.({ data: {} }))
})
