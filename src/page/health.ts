import type { Need, Status } from './answers.js'
import { ApiError, get } from './api.js'
import { element, show, type Child } from './element.js'
import { inWords, plural, tickTimes } from './format.js'

export interface HealthOptions {
  readonly isAsked: () => boolean
  readonly onStatus: (status: Status) => void
  readonly onError: (error: unknown) => void
}

/** The state of the service, at the top of every view. */
export interface Health {
  /** Asks for the status now instead of at the next interval. */
  readonly ask: () => void
  readonly setLive: (live: boolean) => void
}

const ASK_EVERY_MS = 5000
/** Countdowns of retries show seconds. */
const TICK_MS = 1000
const ANSWER_WITHIN_MS = 4000

/** Elements at the top of the page. */
interface Head {
  readonly readiness: HTMLElement
  readonly live: HTMLElement
  readonly needs: HTMLElement
}

/** Asks for the status every 5 s and shows it. Only a state known to be well is green. */
export function watchHealth ({ readiness, live, needs }: Head, { isAsked, onStatus, onError }: HealthOptions): Health {
  let status: Status | undefined
  let failedAt: string | undefined
  let asking: AbortController | undefined
  let following: boolean | undefined

  async function ask (): Promise<void> {
    // A late answer counts as no answer, and an earlier question has an older answer. So abort the one before.
    asking?.abort()
    const mine = asking = new AbortController()
    const timer = setTimeout(() => { mine.abort() }, ANSWER_WITHIN_MS)
    try {
      status = await get<Status>('/api/status', {}, mine.signal)
      failedAt = undefined
      if (mine === asking) onStatus(status)
    } catch (error) {
      if (mine !== asking) return
      // Without a right token the service's state is unknown.
      if (error instanceof ApiError && (error.status === 401 || error.status === 429)) status = undefined
      else failedAt ??= new Date().toISOString()
      onError(error)
    } finally {
      clearTimeout(timer)
      if (mine === asking) draw()
    }
  }

  function draw (): void {
    const bad = failedAt !== undefined || following === false
    // The content below is as old as the last answer.
    document.documentElement.classList.toggle('stale', bad)
    const { text, tone } = verdict()
    readiness.className = `badge ${tone}`
    show(readiness, text)
    readiness.title = status === undefined ? '' : `tierhook ${status.version}`
    live.className = `badge ${following === false ? 'bad' : tone === 'good' ? 'good' : 'quiet'}`
    live.hidden = following === undefined
    show(live, following === true ? 'live' : 'not connected, trying again')
    show(needs, ...failedAt === undefined && status !== undefined ? needItems(status.needs) : [])
  }

  function verdict (): { readonly text: string, readonly tone: string } {
    if (failedAt !== undefined) return { text: 'the service does not answer', tone: 'bad' }
    if (status === undefined) return { text: '…', tone: 'quiet' }
    if (!status.ready) return { text: 'not ready', tone: 'bad' }
    if (status.needs.length > 0) return { text: needsYou(status.needs.length), tone: 'bad' }
    return following === true ? { text: 'all well', tone: 'good' } : { text: 'ready', tone: 'quiet' }
  }

  setInterval(tickTimes, TICK_MS)
  setInterval(() => {
    if (isAsked()) ask().catch(onError)
  }, ASK_EVERY_MS)

  return {
    ask () { ask().catch(onError) },
    setLive (isLive) {
      if (following === isLive) return
      following = isLive
      draw()
      if (!isLive && isAsked()) ask().catch(onError)
    }
  }
}

function needItems (needs: readonly Need[]): Child[] {
  return needs.map((need) => element('li', {}, element('a', { href: placeOf(need) }, describeNeed(need))))
}

export function needsYou (count: number): string {
  return `${plural(count, 'thing')} need${count === 1 ? 's' : ''} you`
}

/** Describes a need with its duration: `crm has been down for 13 minutes`. */
export function describeNeed ({ kind, text, since, forwarder }: Need): string {
  if (since === undefined) return text
  return kind === 'destination down' ? `${forwarder ?? ''} has been down for ${inWords(since)}` : `${text}, for ${inWords(since)}`
}

const places: Readonly<Record<Need['kind'], string>> = {
  'not ready': '#/forwarders',
  store: '#/forwarders',
  webhook: '#/sender',
  'destination down': '#/forwarders',
  'forwarder not led': '#/forwarders',
  'retry budget': '#/sender',
  'dead letters': '#/dead-letters',
  'missing events': '#/sender',
  quarantine: '#/quarantine',
  'forwarder paused': '#/forwarders',
  'forwarder not configured': '#/forwarders'
}

/** Returns the address of the view where an operator can handle the need. */
export function placeOf ({ kind, forwarder }: Need): string {
  return kind === 'dead letters' && forwarder !== undefined ? `${places[kind]}?forwarder=${encodeURIComponent(forwarder)}` : places[kind]
}
