import t from 'tap'
import { eventTypePattern } from '../../src/delivery/event-type-pattern.js'

t.test('a star matches any run of characters, also an empty one', async (t) => {
  for (const [pattern, type, expected] of [
    ['a.b', 'a.b', true], ['a.b', 'a.bc', false], ['*', '', true], ['a.*', 'a.', true], ['a.*', 'b.a.', false], ['*.b', 'a.b', true], ['*.b', 'a.b.c', false],
    ['a*b*c', 'a1b2c', true], ['a*b*c', 'abc', true], ['a*b*c', 'acb', false], ['ab*ba', 'aba', false], ['a[b', 'a[b', true], ['.*', 'x', false], ['*a*a', 'aa', true], ['*a*a', 'a', false]
  ] as const) t.equal(eventTypePattern(pattern)(type), expected, `${pattern} and ${type}`)
})

t.test('a pattern with many stars is compared quickly with a long type that does not match', async (t) => {
  const matches = eventTypePattern(`${'*a'.repeat(99)}*b`)
  const begun = performance.now()
  for (let each = 0; each < 1000; each++) t.not(matches('a'.repeat(200)), true)
  t.ok(performance.now() - begun < 5000)
})
