import type { Attempt } from '../delivery/forwarder.js'
import { sampleAttempt, sampleDelivery } from './sample-attempt.js'

const MIB = 1_048_576

/** Returns deliveries that the service may accept, but that destinations rarely see. */
export function oddBodies (): ReadonlyArray<{ readonly title: string, readonly attempt: Attempt }> {
  return [
    { title: 'a body with every kind of character', attempt: withBody('{"name":"Zoë 李 🫖 \\u0000 \\ud800 \u202E \u2028 \\"quoted\\"","__proto__":{"a":1}}') },
    { title: 'a body with numbers that JavaScript cannot hold', attempt: withBody('{"points": 9007199254740993, "rate": 1.0, "rate": 1e400}') },
    { title: 'a body over several lines', attempt: withBody('{\r\n\t"name" : "tea"\n}\n') },
    { title: 'a body of 1 MiB', attempt: withBody(JSON.stringify({ text: 'x'.repeat(MIB - 11) })) },
    { title: 'a body of 20,000 lists in one another', attempt: withBody(`{"data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`) },
    { title: 'a body that is JSON and no object', attempt: withBody('null') },
    { title: 'a body that is not JSON', attempt: withBody(Buffer.from([0x00, 0xFF, 0x0A, 0xC3, 0x28])) },
    { title: 'an empty body', attempt: withBody('') },
    {
      title: 'an event that nothing is known of',
      attempt: {
        ...sampleAttempt(),
        delivery: {
          ...sampleDelivery({ rawBody: Buffer.from('{}'), sourceObject: null, sourceId: null, eventId: null, projectId: null, customerId: null, campaignId: null, headers: {} }),
          eventType: 'custom.something-else',
          verdict: 'unvalidated'
        }
      }
    },
    {
      title: 'an event that does not match its schema, let through by a person',
      attempt: sampleAttempt({ verdict: 'invalid', faults: [{ pointer: '/data/customer', message: 'is required' }], rawBody: Buffer.from('{"data":{},"event":{}}') })
    }
  ]
}

function withBody (body: string | Uint8Array): Attempt {
  return sampleAttempt({ rawBody: Buffer.from(body), verdict: 'unvalidated' })
}
