import { findEvent } from '../catalogue.js'
import type { Envelope } from '../envelope.js'

/** An envelope whose data may be anything. */
export type BrokenEnvelope = Omit<Envelope, 'data'> & { readonly data: unknown }

/** Returns the envelope with a fault in its data. The kind of fault depends on the index. The envelope still names its event. */
export function breakSample (envelope: Envelope, index: number): BrokenEnvelope {
  const data: Readonly<Record<string, unknown>> = envelope.data
  // Of other events' data only one thing is known: it is an object.
  if (findEvent(envelope.event.type)?.alsoKnown !== false) return { ...envelope, data: [data] }
  const campaign = data['campaign']
  // All tier events may have a campaign. If it is absent, a faulty one is added.
  const broken = breakCampaign(typeof campaign === 'object' && campaign !== null ? campaign : {}, index)
  return { ...envelope, data: { ...data, campaign: broken } }
}

function breakCampaign (campaign: object, index: number): unknown {
  switch (index % 6) {
    case 0: return { ...campaign, type: ['STATIC'] }
    case 1: return { ...campaign, name: 42 }
    case 2: return { ...campaign, voucher: [] }
    case 3: return { ...campaign, created_at: 'the day before yesterday' }
    case 4: return { ...campaign, voucher: { loyalty_card: { expiration_rules: { fixed_month: 13 } } } }
    default: return 'camp_as_text'
  }
}
