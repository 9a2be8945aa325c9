import { Type } from '@sinclair/typebox'
import t from 'tap'
import { compileValidator } from '../../src/voucherify/validate.js'

t.test('a literal is told by the literal, an enumeration by all of them', t => {
  t.strictSame(compileValidator(Type.Literal('a'))('b'), [{ pointer: '', message: 'must be a' }])
  t.strictSame(compileValidator(Type.Union([Type.Literal('a'), Type.Literal(2), Type.Null()]))('b'), [{ pointer: '', message: 'must be one of a, 2' }])
  t.end()
})

t.test('scalars in a union are told together, each once', t => {
  const validate = compileValidator(Type.Union([Type.String(), Type.Number(), Type.Number({ minimum: 3 }), Type.Object({})]))
  t.strictSame(validate(true), [{ pointer: '', message: 'must be a string or a number or an object' }])
  t.end()
})

t.test('forms that are all wrong further down are not guessed at', t => {
  const validate = compileValidator(Type.Union([Type.Array(Type.String()), Type.Array(Type.Boolean())]))
  t.strictSame(validate([1]), [{ pointer: '', message: 'matches none of its forms' }])
  t.end()
})

t.test('an object beside a scalar is told by the object\'s own faults', t => {
  const validate = compileValidator(Type.Union([Type.String(), Type.Object({ a: Type.String() })]))
  t.strictSame(validate({ a: 1 }), [{ pointer: '/a', message: 'must be a string' }])
  t.end()
})

t.test('an annotation on a schema is told in place of everything in it', t => {
  const validate = compileValidator(Type.Object({ a: Type.Not(Type.Null(), { errorMessage: 'must not be null' }) }))
  t.strictSame(validate({ a: null }), [{ pointer: '/a', message: 'must not be null' }])
  t.end()
})
