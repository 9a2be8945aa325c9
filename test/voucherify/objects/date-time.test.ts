import { FormatRegistry } from '@sinclair/typebox'
import t from 'tap'
import { dateTime, registerDateTime } from '../../../src/voucherify/objects/date-time.js'
import { compileValidator } from '../../../src/voucherify/validate.js'

const validate = compileValidator(dateTime('A time'))

t.test('date-times with a zone are accepted', t => {
  for (const text of ['2024-03-14T10:08:14.814Z', '2024-02-29T23:59:60+00:00', '2024-03-14t10:08:14-05:30']) t.strictSame(validate(text), [], text)
  t.end()
})

t.test('a date that no calendar has, a date alone, a time without a zone and an empty text are not', t => {
  for (const text of ['2023-02-29T00:00:00Z', '2024-03-14', '2024-03-14T10:08:14', '2024-13-01T00:00:00Z', '', 'yesterday']) {
    t.strictSame(validate(text), [{ pointer: '', message: 'must be an ISO 8601 date-time' }], text)
  }
  t.strictSame(validate(1710410894814), [{ pointer: '', message: 'must be a string' }])
  t.end()
})

t.test('a check that somebody has registered already stays', t => {
  const before = FormatRegistry.Get('date-time')
  registerDateTime()
  t.equal(FormatRegistry.Get('date-time'), before)
  t.end()
})

t.test('a library without the check stops the start', t => {
  const before = FormatRegistry.Get('date-time')
  FormatRegistry.Delete('date-time')
  t.teardown(() => before !== undefined && FormatRegistry.Set('date-time', before))
  for (const definition of [null, /./, { validate: /./ }]) t.throws(() => registerDateTime(definition), TypeError)
  t.end()
})
