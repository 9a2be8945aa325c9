import type { ListedDelivery, ForwarderStatus } from './answers.js'
import { badge, element, type Tone } from './element.js'
import { countdown } from './format.js'

const tones: Readonly<Record<ForwarderStatus['status'], Tone>> = {
  forwarded: 'good', skipped: 'quiet', discarded: 'quiet', pending: 'quiet', retrying: 'warn', dead: 'bad', quarantined: 'warn', damaged: 'bad', erased: 'quiet', 'before-start': 'quiet'
}

/** So many forwarders may say the same of a delivery before they are counted instead. */
const NAMED = 2

/** The status of a delivery at its forwarders. What went as it should is counted where it is more than two; whatever else has the forwarder's name. */
export function statusBadges (statuses: readonly ForwarderStatus[]): HTMLElement[] {
  const counted = (['forwarded', 'skipped', 'quarantined', 'before-start', 'erased'] as const).flatMap((status) => {
    const those = statuses.filter((each) => each.status === status && each.replay !== true)
    return those.length > NAMED ? [{ status, those }] : []
  })
  const named = statuses.filter((each) => !counted.some(({ those }) => those.includes(each)))
  return [
    ...named.map(namedBadge),
    ...counted.map(({ status, those }) => badge(`${those.length} ${status}`, tones[status], those.map(({ forwarder }) => forwarder).join(', ')))
  ]
}

export function verdictBadge ({ verdict, state }: Pick<ListedDelivery, 'verdict' | 'state'>): HTMLElement {
  const tone: Tone = verdict === 'valid' ? 'good' : verdict === 'invalid' ? 'bad' : 'quiet'
  return badge(state === 'accepted' ? verdict : `${verdict}, ${state}`, tone)
}

function namedBadge ({ forwarder, status, reason, replay, dueAt }: ForwarderStatus): HTMLElement {
  return element('span', { class: `badge ${tones[status]}`, title: reason }, `${forwarder}: ${replay === true ? 'replay ' : ''}${status}`, ...status === 'retrying' && dueAt !== undefined ? [' ', countdown(dueAt)] : [])
}
