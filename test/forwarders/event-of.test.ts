import t from 'tap'
import type { Verdict } from '../../src/delivery/delivery.js'
import { eventOf } from '../../src/forwarders/describe-delivery.js'
import { sampleDelivery } from '../support/sample-delivery.js'

function textOf (body: string, verdict: Verdict): string | undefined {
  const event = eventOf(sampleDelivery({ rawBody: Buffer.from(body), verdict }))
  return event === undefined ? undefined : Buffer.from(event).toString()
}

t.test('the event does not depend on its verdict or white space', async (t) => {
  const compact = '{"id":"whs_1","data":{"n":1.10,"name":"Zoë"},"event":{"type":"x"}}'
  for (const body of [compact, compact.replaceAll(',', ',\n')]) {
    for (const verdict of ['valid', 'invalid', 'unvalidated'] as const) t.equal(textOf(body, verdict), '{"n":1.10,"name":"Zoë"}', `${verdict}: ${body}`)
  }
})

t.test('a body that is not a JSON object has no event', async (t) => {
  for (const body of ['', '[1]', 'text']) t.equal(textOf(body, 'unvalidated'), undefined)
})
