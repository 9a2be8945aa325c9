import t from 'tap'
import { eventBytes, type EventTextOptions } from '../../src/voucherify/event-text.js'

function textOf (body: string | Uint8Array, options?: EventTextOptions): string | undefined {
  const bytes = eventBytes(Buffer.from(body), options)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString()
}

t.test('the event text is the data of an envelope, or the whole bare body, on one line as it was written', async t => {
  t.equal(textOf('{"event":{},"data":{ "n": 1.0,\r\n\t"m":1e2 }}'), '{"n":1.0,"m":1e2}')
  t.equal(textOf('{"customer":null,\n"created_at":"a b"}'), '{"customer":null,"created_at":"a b"}')
  t.equal(textOf('{"data":{},"loyalty_tier":{}}'), '{"data":{},"loyalty_tier":{}}', 'a bare body with a key called data')
  t.equal(textOf('\uFEFF{"a":1}'), '{"a":1}', 'the text has no byte order mark')
})

t.test('a body that was found valid before is not parsed again, and gives the same text', async t => {
  for (const body of ['{"id":"a b","event":{"type":"x"},"data":{"n":1.0}}', '{ "data" : {"n": "a b"} ,\n"event":{} }', '{"customer":{"data":1}, "created_at":"x"}', '\uFEFF{"data":{},"event":{}}', '{"event":"x","data":{"n":1},"id":2}', '{"event":null,"data":{"n":1},"project_id":2}']) {
    t.equal(textOf(body, { judgedValid: true }), textOf(body), body)
  }
})

t.test('an envelope without data is the event itself', async t => {
  t.equal(textOf('{"event":{"type":"x"}, "id":1}'), '{"event":{"type":"x"},"id":1}')
})

t.test('a body that is not a JSON object has no event text', async t => {
  for (const body of ['', 'text', '[1]', '"a"', 'null', new Uint8Array([0xFF])]) t.equal(textOf(body), undefined)
})

t.test('the event text is the data as written, also in the middle of a buffer, with odd keys and with two of the same name', async t => {
  for (const [body, text] of [
    ['{"id":"1","data":{"n":1.0,"a":["}",{"b":"\\"]"}]},"event":{"type":"x"}}', '{"n":1.0,"a":["}",{"b":"\\"]"}]}'],
    ['{"event":{"type":"x"},"data":{}}', '{}'],
    ['{"data":{"n":1},"event":{},"data":{"n":2}}', '{"n":2}'],
    ['{"d\\u0061ta":{"é":"☃"},"event":{}}', '{"é":"☃"}']
  ] as const) {
    for (const judgedValid of [true, false]) t.equal(Buffer.from(eventBytes(Buffer.from(`..${body}`).subarray(2), { judgedValid }) ?? []).toString(), text, body)
  }
})
