import { deepStrictEqual } from 'node:assert/strict'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import fc from 'fast-check'
import t from 'tap'
import { catalogue } from '../../src/voucherify/catalogue.js'
import { buildService, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import { mutate, mutation } from '../support/mutate-json.js'
import { valueFrom } from '../support/value-from-schema.js'

const service = await buildService(t, signed)
let sent = 0

/** The public route's answers to a body, with an envelope and bare. The envelope has another id each time. The bare body's bytes identify duplicates. */
async function verdictsOf (type: string, text: string): Promise<readonly unknown[]> {
  const envelope = JSON.stringify(envelopeAround(type, 'DATA', `property-${++sent}`)).replace('"DATA"', () => text)
  const answers = await Promise.all([service.post(`/webhooks/${type}`, envelope), service.post(`/webhooks/${type}`, text)])
  return answers.map(({ status, body }) => status < 300 ? body['verdict'] : status)
}

for (const { type, bodySchema, alsoKnown } of catalogue) {
  const ajv = new Ajv({ strict: false, strictNumbers: true, formats: { 'date-time': fullFormats['date-time'], date: fullFormats.date } })
  const compiled = TypeCompiler.Compile(bodySchema)
  const judges = [ajv.compile(JSON.parse(JSON.stringify(bodySchema))), (value: unknown) => compiled.Check(value)]
  const bodies = valueFrom(bodySchema)

  t.test(`${type}: bodies generated from the schema are valid, for the route and for independent validators`, async (t) => {
    let made = 0
    await fc.assert(fc.asyncProperty(bodies, async (body) => {
      const text = JSON.stringify(body)
      const read: unknown = JSON.parse(text)
      deepStrictEqual([...judges.map((judge) => judge(read)), ...await verdictsOf(type, text)], [true, true, 'valid', 'valid'])
      made++
    }), { numRuns: 20 })
    t.equal(made, 20)
  })

  t.test(`${type}: a body with one change is judged alike by the route and by other validators`, async (t) => {
    let valid = 0
    let invalid = 0
    // Of other events it is only known that they are objects.
    const starts = alsoKnown ? fc.oneof(bodies, fc.constantFrom<unknown>(null, 5, 'points', true, [], [{}])) : bodies
    await fc.assert(fc.asyncProperty(starts, mutation, async (body, change) => {
      const text = JSON.stringify(mutate(JSON.parse(JSON.stringify(body)), change))
      const read: unknown = JSON.parse(text)
      const [first, second] = judges.map((judge) => judge(read))
      const verdict = first === true ? 'valid' : 'invalid'
      if (first === true) valid++
      else invalid++
      deepStrictEqual([second, ...await verdictsOf(type, text)], [first, verdict, verdict], text)
    }), { numRuns: 50 })
    t.ok(valid > 0 && invalid > 0, `${valid} valid, ${invalid} invalid`)
  })
}
