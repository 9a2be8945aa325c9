import type { ListedDelivery, Standing } from './answers.js'
import { badge, type Tone } from './element.js'

const tones: Readonly<Record<Standing['standing'], Tone>> = {
  forwarded: 'good', skipped: 'quiet', discarded: 'quiet', pending: 'quiet', waiting: 'warn', dead: 'bad', quarantined: 'warn', damaged: 'bad', erased: 'quiet', earlier: 'quiet'
}

/** Where a delivery stands, a badge for each forwarder. */
export function standingBadges (standings: readonly Standing[]): HTMLElement[] {
  return standings.map(({ forwarder, standing, reason, replay }) => badge(`${forwarder}: ${replay === true ? 'replay ' : ''}${standing}`, tones[standing], reason))
}

export function verdictBadge ({ verdict, hold }: Pick<ListedDelivery, 'verdict' | 'hold'>): HTMLElement {
  const tone: Tone = verdict === 'valid' ? 'good' : verdict === 'invalid' ? 'bad' : 'quiet'
  return badge(hold === 'none' ? verdict : `${verdict}, ${hold}`, tone)
}
