import { Type, type TSchema } from '@sinclair/typebox'
import { ValueErrorType } from '@sinclair/typebox/errors'
import t from 'tap'
import '../../src/voucherify/objects/date-time.js'
import { messageOf } from '../../src/voucherify/fault-message.js'
import { compileValidator } from '../../src/voucherify/validate.js'

const messageFor = (schema: TSchema, value: unknown) => compileValidator(schema)(value)[0]?.message

t.test('every kind of fault has a message, made only from the schema', t => {
  for (const [schema, value, message] of [
    [Type.String(), 1, 'must be a string'],
    [Type.Integer(), 1.5, 'must be an integer'],
    [Type.Number(), Infinity, 'must be a number'],
    [Type.Boolean(), 'true', 'must be a boolean'],
    [Type.Null(), 0, 'must be null'],
    [Type.Object({}), [], 'must be an object'],
    [Type.Array(Type.Null()), {}, 'must be an array'],
    [Type.Object({ a: Type.Null() }), {}, 'is required'],
    [Type.Object({}, { additionalProperties: false }), { a: 1 }, 'is not known'],
    [Type.Literal('x'), 'y', 'must be x'],
    [Type.Integer({ minimum: 1 }), 0, 'must be >= 1'],
    [Type.Integer({ maximum: 1 }), 2, 'must be <= 1'],
    [Type.Number({ minimum: 1.5 }), 0, 'must be >= 1.5'],
    [Type.Number({ maximum: 1.5 }), 2, 'must be <= 1.5'],
    [Type.String({ minLength: 2 }), 'a', 'must have no fewer characters than 2'],
    [Type.String({ maxLength: 2 }), 'abc', 'must have no more characters than 2'],
    [Type.Array(Type.Null(), { minItems: 1 }), [], 'must have no fewer items than 1'],
    [Type.Array(Type.Null(), { maxItems: 0 }), [null], 'must have no more items than 0'],
    [Type.String({ format: 'date-time' }), 'x', 'must be an ISO 8601 date-time'],
    [Type.String({ pattern: '^a' }), 'x', 'does not match its schema']
  ] as const) t.equal(messageFor(schema, value), message)
  t.equal(messageOf({ type: ValueErrorType.StringFormat, schema: Type.String({ format: 'uri' }) }), 'must be a well-formed uri')
  t.end()
})
