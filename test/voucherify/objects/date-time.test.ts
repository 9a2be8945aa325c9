import { FormatRegistry } from '@sinclair/typebox'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import fc from 'fast-check'
import t from 'tap'
import { dateTime, isUsualDateTime, registerDateTime } from '../../../src/voucherify/objects/date-time.js'
import { compileValidator } from '../../../src/voucherify/validate.js'

const validate = compileValidator(dateTime('A time'))

t.test('date-times with a zone are accepted', t => {
  for (const text of ['2024-03-14T10:08:14.814Z', '2024-02-29T23:59:60+00:00', '2024-03-14t10:08:14-05:30']) t.strictSame(validate(text), [], text)
  t.end()
})

t.test('a date that does not exist, a date alone, a time without a zone and an empty text are refused', t => {
  for (const text of ['2023-02-29T00:00:00Z', '2024-03-14', '2024-03-14T10:08:14', '2024-13-01T00:00:00Z', '', 'yesterday']) {
    t.strictSame(validate(text), [{ pointer: '', message: 'must be an ISO 8601 date-time' }], text)
  }
  t.strictSame(validate(1710410894814), [{ pointer: '', message: 'must be a string' }])
  t.end()
})

t.test('a check that is already registered stays', t => {
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

t.test('the quick check accepts only what the full check accepts', t => {
  const full = fullFormats['date-time']
  const isFull = (text: string): boolean => typeof full === 'object' && 'validate' in full && typeof full.validate === 'function' && full.validate(text as never) === true
  const two = (max: number) => fc.integer({ min: 0, max }).map(number => String(number).padStart(2, '0'))
  const text = fc.tuple(
    fc.integer({ min: 0, max: 9999 }).map(number => String(number).padStart(4, '0')), fc.constantFrom('-', '-', '-', '/'), two(14), two(33), fc.constantFrom('T', 'T', 'T', 't', ' '),
    two(25), two(61), two(61), fc.constantFrom('', '', '.5', '.123', '.', '.1234567890'), fc.constantFrom('Z', 'Z', 'Z', 'z', '', '+00:00', '-23:59', '+24:00')
  ).map(([year, dash, month, day, separator, hours, minutes, seconds, fraction, zone]) => `${year}-${month}${dash}${day}${separator}${hours}:${minutes}:${seconds}${fraction}${zone}`)
  fc.assert(fc.property(text, text => !isUsualDateTime(text) || isFull(text)), { numRuns: 20_000 })
  // Every day of a common year and of a leap year, and impossible days next to them.
  for (const year of ['2023', '2024', '2100', '0000']) {
    for (let month = 0; month <= 13; month++) {
      for (let day = 0; day <= 32; day++) {
        const time = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T10:08:14.814Z`
        const leap = month === 2 && day === 29
        t.equal(isUsualDateTime(time), isFull(time) && !leap, time)
      }
    }
  }
  for (const time of ['x2024-03-14T10:08:14Z', '2024-03-14T10:08:14Zx', '2024-03-14T10:08:14Z\n', '2024-03-14T10:08:60Z', '2024-03-14T24:00:00Z']) t.notOk(isUsualDateTime(time), time)
  t.end()
})
