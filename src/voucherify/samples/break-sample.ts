import type { Envelope } from '../envelope.js'

type Data = Readonly<Record<string, unknown>>

/** The envelope with one fault more in its data, another from one index to the next. It still names its event. */
export function breakSample (envelope: Envelope, index: number): Envelope {
  const data: Data = envelope.data
  const campaign = data['campaign']
  // The campaign is the one key that every event in the catalogue has; where it is absent, a faulty one takes its place.
  const broken = breakCampaign(typeof campaign === 'object' && campaign !== null ? campaign : {}, index)
  return { ...envelope, data: { ...data, campaign: broken } }
}

function breakCampaign (campaign: object, index: number): unknown {
  switch (index % 6) {
    case 0: return { ...campaign, type: 'NO_SUCH_TYPE' }
    case 1: return { ...campaign, name: 42 }
    case 2: return { ...campaign, voucher: {} }
    case 3: return { ...campaign, created_at: 'the day before yesterday' }
    case 4: return { ...campaign, categories: [{ id: 'cat_without_the_rest' }] }
    default: return 'camp_as_text'
  }
}
