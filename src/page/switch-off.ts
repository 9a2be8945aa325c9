import type { Child } from './element.js'
import { time } from './format.js'

/** An estimate: what lies behind us may have come to pass, and nobody here has seen it. */
export function switchOff (disabledAt: string | null): Child[] {
  if (disabledAt === null) return ['not known']
  return Date.parse(disabledAt) > Date.now() ? ['if nothing changes, ', time(disabledAt)] : ['may be switched off since ', time(disabledAt)]
}
