import t from 'tap'
import { eventText } from '../../src/voucherify/event-text.js'

const textOf = (body: string | Uint8Array) => eventText(Buffer.from(body))

t.test('the data of an envelope, or the whole of a bare body, on one line as it was written', async t => {
  t.equal(textOf('{"event":{},"data":{ "n": 1.0,\r\n\t"m":1e2 }}'), '{"n":1.0,"m":1e2}')
  t.equal(textOf('{"customer":null,\n"created_at":"a b"}'), '{"customer":null,"created_at":"a b"}')
  t.equal(textOf('{"data":{},"loyalty_tier":{}}'), '{"data":{},"loyalty_tier":{}}', 'a bare body with a key called data')
  t.equal(textOf('\uFEFF{"a":1}'), '{"a":1}', 'without a byte order mark')
})

t.test('what was found to be valid before is not parsed again, and comes out the same', async t => {
  for (const body of ['{"id":"a b","event":{"type":"x"},"data":{"n":1.0}}', '{ "data" : {"n": "a b"} ,\n"event":{} }', '{"customer":{"data":1}, "created_at":"x"}', '\uFEFF{"data":{},"event":{}}']) {
    t.equal(eventText(Buffer.from(body), { judgedValid: true }), textOf(body), body)
  }
})

t.test('an envelope without data is the event itself', async t => {
  t.equal(textOf('{"event":{"type":"x"}, "id":1}'), '{"event":{"type":"x"},"id":1}')
})

t.test('what is no JSON object has no event text', async t => {
  for (const body of ['', 'text', '[1]', '"a"', 'null', new Uint8Array([0xFF])]) t.equal(textOf(body), undefined)
})
