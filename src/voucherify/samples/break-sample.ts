import { findEvent } from '../catalogue.js'
import type { Envelope } from '../envelope.js'

/** An envelope whose data may be anything. */
export type BrokenEnvelope = Omit<Envelope, 'data'> & { readonly data: unknown }

/** The envelope with one fault more in its data, another from one index to the next. It still names its event. */
export function breakSample (envelope: Envelope, index: number): BrokenEnvelope {
  const data: Readonly<Record<string, unknown>> = envelope.data
  // All that is known of the others' data is that it is an object.
  if (findEvent(envelope.event.type)?.alsoKnown !== false) return { ...envelope, data: [data] }
  const campaign = data['campaign']
  // The campaign is the one key that every tier event has; where it is absent, a faulty one takes its place.
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
