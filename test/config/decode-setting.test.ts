import t from 'tap'
import { Type } from '@sinclair/typebox'
import { decodeSetting } from '../../src/config/decode-setting.js'

t.test('a number without bounds is any whole number', async t => {
  t.same(decodeSetting(Type.Integer(), '-5'), { ok: true, value: -5 })
})

t.test('a schema that no text can be read by is a mistake that shows at once', async t => {
  t.throws(() => decodeSetting(Type.Object({}), 'x'), /give it a syntax/)
  t.throws(() => decodeSetting(Type.Array(Type.Number()), 'x'), /give it a syntax/)
})
