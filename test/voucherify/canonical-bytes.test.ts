import fc from 'fast-check'
import t from 'tap'
import { canonicalBytes, compactJson } from '../../src/voucherify/canonical-bytes.js'
import { jsonText, spaced } from './support/json-text.js'

const canonical = (text: string) => Buffer.from(canonicalBytes(Buffer.from(text))).toString()

t.test('each of the four kinds of white space between tokens is dropped', t => {
  t.equal(canonical('{\n  "a": 1\n}'), '{"a":1}')
  t.equal(canonical('{\r\n\t"a"\t:\r1 }\r\n'), '{"a":1}')
  t.equal(canonical(' 12\n'), '12')
  t.equal(canonical(' \n'), '')
  t.end()
})

t.test('everything in a string stays, also after escaped quotes and runs of backslashes', t => {
  for (const [text, expected] of [
    ['{"a b": " \t\r\n "}', '{"a b":" \t\r\n "}'],
    ['["\\" x", 1]', '["\\" x",1]'],
    ['["\\\\", " x"]', '["\\\\"," x"]'],
    ['["\\\\\\" x", " y"]', '["\\\\\\" x"," y"]'],
    ['["\\\\\\\\", " y"]', '["\\\\\\\\"," y"]'],
    ['["\\u0022 x", "\\ud83d\\ude00 "]', '["\\u0022 x","\\ud83d\\ude00 "]'],
    ['["é 😀", "\u00a0\u2028"]', '["é 😀","\u00a0\u2028"]']
  ] as const) t.equal(canonical(text), expected)
  t.end()
})

t.test('white space inside a token, or where a comma or a colon is missing, is not JSON white space and stays', t => {
  for (const [text, expected] of [
    ['[nu   ll]', '[nu   ll]'],
    ['{"n": 1 2 }', '{"n":1 2}'],
    ['[tr\n\tue, - 1, 1. 0]', '[tr\n\tue,- 1,1. 0]'],
    ['{"a" "b"}', '{"a" "b"}'],
    ['["a" 1]', '["a" 1]']
  ] as const) t.equal(canonical(text), expected)
  t.end()
})

t.test('other Unicode white space, a byte order mark and form feeds are not JSON white space and stay', t => {
  for (const text of ['[\u00a0]', '\ufeff{}', '[\f\v]']) t.equal(canonical(text), text)
  t.end()
})

t.test('a body with nothing to drop is returned as the same object', t => {
  for (const text of ['', '{}', '{"a b":" "}', '"\\', '1 2', '[nu ll]']) {
    const body = Buffer.from(text)
    t.equal(canonicalBytes(body), body)
  }
  t.end()
})

t.test('the given body is not changed', t => {
  const body = Buffer.from('{ "a": 1 }')
  t.equal(Buffer.from(canonicalBytes(body)).toString(), '{"a":1}')
  t.equal(body.toString(), '{ "a": 1 }')
  t.end()
})

t.test('any spacing gives the same compact text, and a second pass changes nothing', t => {
  fc.assert(fc.property(jsonText(), fc.infiniteStream(fc.constantFrom('', ' ', '\r\n', '\t')), (text, gaps) =>
    canonical(spaced(text, gaps)) === text && canonical(text) === text))
  t.end()
})

t.test('bytes that are not JSON or not UTF-8 cause no exception', t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
    const once = canonicalBytes(bytes)
    return once.length <= bytes.length && Buffer.from(canonicalBytes(once)).equals(once)
  }))
  t.end()
})

t.test('for known JSON the same is dropped, and a compact body is returned as the same object', t => {
  fc.assert(fc.property(jsonText(), fc.infiniteStream(fc.oneof({ weight: 8, arbitrary: fc.constant('') }, fc.constantFrom(' ', '  ', '\n', '\t', '\r'))), (text, gaps) =>
    Buffer.from(compactJson(Buffer.from(spaced(text, gaps)))).toString() === text), { numRuns: 500 })
  for (const text of ['{"a b":"c  d"}', '["é 😀"]', '["Berlin, 10115"]', '[" "]', '{"a":[{"b":", "}]}']) {
    const body = Buffer.from(text)
    t.equal(compactJson(body), body)
  }
  t.equal(Buffer.from(compactJson(Buffer.from('["a, b", 1]'))).toString(), '["a, b",1]')
  t.end()
})
