import t from 'tap'
import type { Verdict } from '../../src/delivery/delivery.js'
import { eventOf } from '../../src/forwarders/event-of.js'
import { locateEvent } from '../../src/voucherify/event-text.js'
import { sampleDelivery } from '../support/sample-delivery.js'

function textOf (body: string, verdict: Verdict, eventPlace = verdict === 'valid' ? locateEvent(Buffer.from(body)) : undefined): string | undefined {
  const event = eventOf(sampleDelivery({ rawBody: Buffer.from(body), verdict, eventPlace }))
  return event === undefined ? undefined : Buffer.from(event).toString()
}

t.test('the event is the same whether its place is known or not, and whatever its verdict', async (t) => {
  const compact = '{"id":"whs_1","data":{"n":1.10,"name":"Zoë"},"event":{"type":"x"}}'
  t.ok(locateEvent(Buffer.from(compact)), 'its place is known')
  for (const body of [compact, compact.replaceAll(',', ',\n')]) {
    for (const verdict of ['valid', 'invalid', 'unvalidated'] as const) t.equal(textOf(body, verdict), '{"n":1.10,"name":"Zoë"}', `${verdict}: ${body}`)
  }
})

t.test('where its place is known the body is not looked through again', async (t) => {
  t.equal(textOf('{"data":1}', 'valid', { start: 8, end: 9 }), '1')
})

t.test('what is no JSON object has none', async (t) => {
  for (const body of ['', '[1]', 'text']) t.equal(textOf(body, 'unvalidated'), undefined)
})
