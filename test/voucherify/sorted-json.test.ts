import fc from 'fast-check'
import t from 'tap'
import { sortedJson } from '../../src/voucherify/sorted-json.js'
import { documented, documentedBytes } from './support/fixtures.js'
import { jsonText, spaced } from './support/json-text.js'
import { storedAsJsonb } from './support/stored-as-jsonb.js'

const sorted = (text: string) => Buffer.from(sortedJson(Buffer.from(text)), 'latin1').toString()

t.test('keys are sorted, also inside lists; white space is dropped; numbers, escapes and lists stay as written', t => {
  for (const [text, expected] of [
    ['{ "b": 1, "a": [ {"d": 1.0, "c": 1e2 }, -0 ] }', '{"a":[{"c":1e2,"d":1.0},-0],"b":1}'],
    ['{"é":"\\u00e9","aa":"\\/","a":"} \\" {","A":[2,1]}', '{"A":[2,1],"a":"} \\" {","aa":"\\/","é":"\\u00e9"}'],
    ['{"a":{},"":[[],{}]}', '{"":[[],{}],"a":{}}'],
    ['{"b":"x\\\\","a":"\\\\\\"y"}', '{"a":"\\\\\\"y","b":"x\\\\"}'],
    ['{"10":1,"9":2}', '{"10":1,"9":2}'],
    [' [true , null] ', '[true,null]'],
    ['"a b"', '"a b"'],
    ['\uFEFF{"a":1}', '{"a":1}']
  ] as const) t.equal(sorted(text), expected)
  t.end()
})

t.test('bodies that repeat a key stay different, however they are written', t => {
  t.not(sorted('{"a":1,"a":2}'), sorted('{"a":2,"a":1}'))
  t.not(sorted('{"a":1,"a":2}'), sorted('{"a":2}'))
  t.not(sorted('{"\\u0061":1,"a":2}'), sorted('{"a":2,"\\u0061":1}'))
  t.equal(sorted('{"b":0,"a":1,"a":2}'), sorted('{"a":1,"b":0,"a":2}'))
  t.end()
})

t.test('any body has the same content with its keys in the order of jsonb', t => {
  for (const type of documented) {
    const body: unknown = JSON.parse(documentedBytes(type).toString())
    const stored = storedAsJsonb(body)
    t.not(stored, JSON.stringify(body))
    t.equal(sorted(stored), sorted(JSON.stringify(body)))
  }
  fc.assert(fc.property(fc.jsonValue(), value => sorted(storedAsJsonb(value)) === sorted(JSON.stringify(value))))
  t.end()
})

t.test('content is JSON of the same value, does not change when computed again, and does not depend on spacing', t => {
  fc.assert(fc.property(jsonText(), fc.infiniteStream(fc.constantFrom('', ' ', '\r\n', '\t')), (text, gaps) => {
    const content = sorted(text)
    t.strictSame(JSON.parse(content), JSON.parse(text))
    return sorted(content) === content && sorted(spaced(text, gaps)) === content
  }), { numRuns: 300 })
  t.end()
})

t.test('a body that is nested deeper than any stack is read', t => {
  for (const text of [`${'{"b":[1],"a":'.repeat(100_000)}0${'}'.repeat(100_000)}`, `${'['.repeat(400_000)}${']'.repeat(400_000)}`]) {
    t.equal(sorted(text).length, text.length)
  }
  t.not(sorted('{"b":[1],"a":{"d":1,"c":2}}'), '{"b":[1],"a":{"d":1,"c":2}}')
  t.end()
})
