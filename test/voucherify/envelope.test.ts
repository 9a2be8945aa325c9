import { Type } from '@sinclair/typebox'
import t from 'tap'
import { EnvelopeSchema, envelopeOf } from '../../src/voucherify/envelope.js'
import { compileValidator } from '../../src/voucherify/validate.js'
import { expectSchema } from './support/expect-schema.js'
import { envelope } from './support/full-objects.js'

const validate = compileValidator(EnvelopeSchema)

t.test('every key of a full envelope must have its type, and a fault has its pointer', t => {
  expectSchema(t, EnvelopeSchema, { ...envelope, data: { any: 'thing' } })
  t.end()
})

t.test('an envelope needs only data and the event\'s type', t => {
  t.strictSame(validate({ data: {}, event: { type: 'x' } }), [])
  t.strictSame(validate({}), [{ pointer: '/data', message: 'is required' }, { pointer: '/event', message: 'is required' }])
  t.strictSame(validate({ data: [], event: {} }), [
    { pointer: '/data', message: 'must be an object' }, { pointer: '/event/type', message: 'is required' }
  ])
  t.end()
})

t.test('the envelope of one event has that event\'s type and body', t => {
  const one = compileValidator(envelopeOf(Type.Object({ n: Type.Integer() }), 'a.b'))
  t.strictSame(one({ ...envelope, data: { n: 1 }, event: { ...envelope.event, type: 'a.b' } }), [])
  t.strictSame(one({ ...envelope, type: 'free text', data: { n: 1.5 } }), [
    { pointer: '/data/n', message: 'must be an integer' },
    { pointer: '/event/type', message: 'must be a.b' }
  ])
  t.end()
})
