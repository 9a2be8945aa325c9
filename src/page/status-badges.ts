import type { ListedDelivery, ForwarderStatus } from './answers.js'
import { badge, element, type Tone } from './element.js'
import { countdown } from './format.js'

const tones: Readonly<Record<ForwarderStatus['status'], Tone>> = {
  forwarded: 'good', skipped: 'quiet', discarded: 'quiet', pending: 'quiet', retrying: 'warn', dead: 'bad', quarantined: 'warn', damaged: 'bad', erased: 'quiet', 'before-start': 'quiet'
}

/** Up to this many forwarders with the same status are named. More are counted. */
const NAMED = 2

/**
 * Shows a delivery's status at each forwarder. Statuses that need no name, such as `forwarded`, are counted if more than two forwarders share
 * them. Every other status names its forwarder.
 */
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
