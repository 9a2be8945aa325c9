import { sampleEnvelope } from '../src/voucherify/samples.js'

/** An event of about 2 KB with an id of its own. */
export interface BenchEvent {
  readonly number: number
  readonly eventType: string
  readonly customerId: string
  readonly body: Buffer
}

const TYPES = ['customer.loyalty.tier.joined', 'customer.loyalty.tier.left'] as const
const TEMPLATES = 64
const MARK = '@@@@@@@@@@@@@@@@@@@@@@@@'

/** Makes a function that makes events quickly: invented events, into which only ids are inserted. */
export function createEvents (now: Date): (number: number) => BenchEvent {
  const templates = Array.from({ length: TEMPLATES }, (_each, index) => {
    const eventType = TYPES[index % TYPES.length] ?? TYPES[0]
    const envelope = sampleEnvelope(eventType, { index, now })
    const customerId = `cust_${MARK}`
    const text = JSON.stringify({
      ...envelope,
      id: `whs_${MARK}`,
      data: { ...envelope.data, customer: { ...envelope.data.customer, id: customerId } },
      event: { ...envelope.event, id: `ev_${MARK}`, entity_id: customerId }
    })
    return { eventType, parts: text.split(MARK) }
  })
  return (number) => {
    const { eventType, parts } = templates[number % TEMPLATES] ?? { eventType: '', parts: [] }
    const id = number.toString(16).padStart(MARK.length, '0')
    return { number, eventType, customerId: `cust_${id}`, body: Buffer.from(parts.join(id)) }
  }
}
