import fc from 'fast-check'
import t from 'tap'
import { eventBytes } from '../../src/voucherify/event-text.js'

/** Texts with many characters that are structure elsewhere. */
const text = fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', ' ', '\n', 'data', 'event', 'é', '☃', '😀', '\u0000') })
const value = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null), fc.array(tie('value')), fc.dictionary(text, tie('value')))
})).value
const object = fc.dictionary(fc.oneof(text, fc.constantFrom('data', 'event')), value)

/** The members of an envelope, with data and event anywhere among others. */
const envelope = fc.tuple(object, object, fc.array(fc.tuple(text, value)), fc.nat()).map(([data, event, others, turn]) => {
  const members: Array<readonly [string, unknown]> = [['data', data], ['event', event], ...others.filter(([key]) => key !== 'data' && key !== 'event')]
  const first = turn % members.length
  return { data, members: [...members.slice(first), ...members.slice(0, first)] }
})

/** Object.fromEntries would put numeric keys first, and drop repeated ones. */
function write (members: ReadonlyArray<readonly [string, unknown]>, between: string): string {
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${between}${JSON.stringify(value)}`).join(',')}}`
}

t.test('the event\'s text is found at the place of its data, with parsing and without it', async (t) => {
  let found = 0
  fc.assert(fc.property(envelope, fc.constantFrom(' ', '\n', '\t', '\r', ''), ({ data, members }, space) => {
    const rawBody = Buffer.from(write(members, space))
    const texts = [eventBytes(rawBody, { judgedValid: true }), eventBytes(rawBody)].map((bytes) => Buffer.from(bytes ?? []).toString())
    found++
    return texts.every((each) => each === JSON.stringify(data))
  }), { numRuns: 2000 })
  t.equal(found, 2000)
})
