import t from 'tap'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { refused } from '../../src/config/decoded.js'
import { setting } from '../../src/config/setting.js'

t.test('a setting with a schema that text cannot be parsed by is refused when it is defined', async t => {
  for (const schema of [Type.Object({}), Type.Union([Type.Literal(1)]), Type.Array(Type.String())]) {
    t.throws(() => setting(schema), { message: /No text can be read by this schema/ })
  }
})

t.test('a setting is decoded from its text, trimmed, or has its default', async t => {
  const count = setting(Type.Integer({ default: 3, minimum: 1, unit: 'cups' }))
  t.equal(Value.Decode(count, ' 5\n'), 5)
  t.equal(Value.Decode(count, ''), 3)
  t.match(count, { default: '3', unit: 'cups', value: { type: 'integer', minimum: 1 } })
  t.throws(() => Value.Decode(count, '0'), { message: 'must be a whole number of cups from 1 to Infinity, in digits only' })
  t.throws(() => Value.Decode(setting(Type.Array(Type.Integer(), { default: [] }), () => refused('is wrong')), 'x'), { message: 'is wrong' })
})
