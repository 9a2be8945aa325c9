import { Type } from '@sinclair/typebox'
import t from 'tap'
import { compileValidator } from '../../src/voucherify/validate.js'

t.test('the fault of a literal names the literal, and that of an enumeration all its values', t => {
  t.strictSame(compileValidator(Type.Literal('a'))('b'), [{ pointer: '', message: 'must be a' }])
  t.strictSame(compileValidator(Type.Union([Type.Literal('a'), Type.Literal(2), Type.Null()]))('b'), [{ pointer: '', message: 'must be one of a, 2' }])
  t.end()
})

t.test('scalars in a union are named together, each once', t => {
  const validate = compileValidator(Type.Union([Type.String(), Type.Number(), Type.Number({ minimum: 3 }), Type.Object({})]))
  t.strictSame(validate(true), [{ pointer: '', message: 'must be a string or a number or an object' }])
  t.end()
})

t.test('if all forms of a union are wrong further down, none is guessed', t => {
  const validate = compileValidator(Type.Union([Type.Array(Type.String()), Type.Array(Type.Boolean())]))
  t.strictSame(validate([1]), [{ pointer: '', message: 'matches none of its forms' }])
  t.end()
})

t.test('an object beside a scalar in a union reports the object\'s own faults', t => {
  const validate = compileValidator(Type.Union([Type.String(), Type.Object({ a: Type.String() })]))
  t.strictSame(validate({ a: 1 }), [{ pointer: '/a', message: 'must be a string' }])
  t.end()
})

t.test('an annotation on a schema replaces the faults inside it', t => {
  const validate = compileValidator(Type.Object({ a: Type.Not(Type.Null(), { errorMessage: 'must not be null' }) }))
  t.strictSame(validate({ a: null }), [{ pointer: '/a', message: 'must not be null' }])
  t.end()
})
