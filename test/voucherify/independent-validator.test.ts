import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import fc from 'fast-check'
import t from 'tap'
import { catalogue } from '../../src/voucherify/catalogue.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { compileValidator } from '../../src/voucherify/validate.js'
import { placesOf, replaceAt } from './support/walk-schema.js'

const now = new Date('2026-03-01T00:00:00Z')

const replacement = fc.oneof(
  fc.constantFrom<unknown>(
    undefined, null, 0, 1.5, -1, 13, 1e300, '', 'MONTH', 'UNIT', 'PERCENT', 'CUSTOM', 'ADD_MANY_ITEMS', '2024-02-29T00:00:00Z', '2023-02-29T00:00:00Z', '2024-02-29', '2023-02-29',
    [], {}, [{}], true, { type: 'UNIT', units: [] }, { type: 'CUSTOM', points: 1 }
  ),
  fc.jsonValue({ maxDepth: 2 })
)

for (const { type, envelopeSchema } of catalogue) {
  t.test(`${type}: another validator, given the schema as JSON, finds the same bodies valid`, t => {
    const ajv = new Ajv({ strict: false, strictNumbers: true, formats: { 'date-time': fullFormats['date-time'], date: fullFormats.date } })
    const judge = ajv.compile(JSON.parse(JSON.stringify(envelopeSchema)))
    const validate = compileValidator(envelopeSchema)
    let valid = 0
    let invalid = 0
    fc.assert(fc.property(fc.nat(500), fc.array(fc.tuple(fc.nat(), replacement), { minLength: 1, maxLength: 3 }), (index, changes) => {
      const sample = sampleEnvelope(type, { index, now })
      const places = [...placesOf(envelopeSchema, sample)]
      const changed = changes.reduce<unknown>((value, [at, other]) => replaceAt(value, places[at % places.length]?.path ?? [], other), sample)
      const faults = validate(changed)
      const pointers = faults.map(fault => fault.pointer)
      if (faults.length === 0) valid += 1
      else invalid += 1
      return judge(changed) === (faults.length === 0) && new Set(pointers).size === pointers.length
    }), { numRuns: 400 })
    t.ok(valid > 10 && invalid > 10, `${valid} valid, ${invalid} invalid`)
    t.end()
  })
}
