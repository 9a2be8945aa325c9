import t from 'tap'
import { isJsonObject, parseBody } from '../../src/voucherify/parse-body.js'

const parse = (body: string | Uint8Array) => parseBody(Buffer.from(body))

t.test('JSON is read unchanged, with a byte order mark or without', async t => {
  t.strictSame(parse('{"a":[1,null]}'), { ok: true, value: { a: [1, null] }, poisoned: false })
  t.strictSame(parse('\uFEFF{"a":1}'), { ok: true, value: { a: 1 }, poisoned: false })
  t.strictSame(parse(' "text" '), { ok: true, value: 'text', poisoned: false })
  t.strictSame(parse('null'), { ok: true, value: null, poisoned: false })
})

t.test('of a view into a larger buffer only the view is read', async t => {
  t.match(parseBody(Buffer.from('xx{"a":1}xx').subarray(2, 9)), { ok: true, value: { a: 1 } })
})

t.test('a body that is not JSON has a reason that does not quote it', async t => {
  t.strictSame(parse(''), { ok: false, reason: 'The body is empty.' })
  t.strictSame(parse(new Uint8Array([0x7B, 0xFF])), { ok: false, reason: 'The body is not UTF-8.' })
  t.strictSame(parse('{"a":1,}      '), { ok: false, reason: 'The body is not JSON (at character 7).' })
  for (const text of ['secret', '{"a', '{', ' in JSON at position 4711', '\0', "{'a':1}", '{"secret":secret}']) {
    const parsed = parse(text)
    t.match(parsed, { ok: false, reason: /^The body is not JSON(?: \(at character \d+\))?\.$/ })
    t.notMatch(JSON.stringify(parsed), /secret|4711/)
  }
})

t.test('a __proto__ key is reported and kept as an ordinary one', async t => {
  for (const body of ['{"__proto__":1}', '{"a":[{"\\u005f_proto_\\u005F":{}}]}', '[[{"__\\u0070roto__":null}]]']) {
    t.match(parse(body), { ok: true, poisoned: true }, body)
  }
  for (const body of ['{"a":"__proto__"}', '"__proto__"', '{"proto":"\\u0070"}', '{"constructor":{"prototype":{}},"b":"__proto__"}', '"\\u005f"']) {
    t.match(parse(body), { ok: true, poisoned: false }, body)
  }
  const parsed = parse('{"__proto__":{"admin":true}}')
  t.ok(parsed.ok && isJsonObject(parsed.value) && Object.hasOwn(parsed.value, '__proto__') && !('admin' in parsed.value))
})

t.test('an array or null is not an object', async t => {
  t.ok(isJsonObject({}))
  for (const value of [[], null, 'a', 1, undefined]) t.notOk(isJsonObject(value))
})

t.test('only an object with keys is a JSON object', async (t) => {
  t.strictSame([{}, [], null, 'a', undefined].map(isJsonObject), [true, false, false, false, false])
})
