import { element, type Child } from './element.js'

/** Shows how long ago a time was, or how soon it is, with the exact time in UTC. */
export function time (iso: string): HTMLElement {
  const exact = exactTime(iso)
  return element('time', { datetime: iso, title: iso }, element('span', { class: 'ago', 'data-at': iso }, ago(iso)), ' ', element('span', { class: 'exact' }, exact))
}

/** Shows a countdown to a time. */
export function countdown (iso: string): HTMLElement {
  return element('span', { class: 'ago', 'data-due': iso, title: iso }, due(iso))
}

function due (iso: string): string {
  const ms = Date.parse(iso) - Date.now()
  return ms < 1000 ? 'due' : `in ${roughly(ms)}`
}

/** Updates every relative time and countdown in the page. */
export function tickTimes (): void {
  for (const [name, say] of [['data-at', ago], ['data-due', due]] as const) {
    for (const each of document.querySelectorAll(`[${name}]`)) {
      const text = say(each.getAttribute(name) ?? '')
      if (each.textContent !== text) each.textContent = text
    }
  }
}

function ago (iso: string): string {
  const ms = Date.now() - Date.parse(iso)
  if (Math.abs(ms) < 1000) return 'now'
  return ms < 0 ? `in ${roughly(-ms)}` : `${roughly(ms)} ago`
}

/** Formats a time in UTC. Today's date is left out. */
function exactTime (iso: string): string {
  const [date = '', rest = ''] = iso.split('T')
  const clock = rest.slice(0, 8)
  return new Date().toISOString().startsWith(date) ? `${clock} UTC` : `${date} ${clock} UTC`
}

const units: ReadonlyArray<readonly [string, number]> = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]]

function roughly (ms: number): string {
  const [unit, size] = units.find(([, each]) => ms >= each) ?? ['s', 1000]
  return `${Math.floor(ms / size)} ${unit}`
}

/** Formats milliseconds in the two largest units: `1 d 3 h`, `12 s`. */
export function duration (ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const parts: string[] = []
  let rest = ms
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(`${count} ${unit}`)
    else if (parts.length > 0) break
    rest -= count * size
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

export function age (iso: string): string {
  return duration(Math.max(0, Date.now() - Date.parse(iso)))
}

const words: ReadonlyArray<readonly [string, number]> = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]]

/** Formats the time since then for a sentence: `13 minutes`. */
export function inWords (iso: string): string {
  const ms = Math.max(1000, Date.now() - Date.parse(iso))
  const [word, size] = words.find(([, each]) => ms >= each) ?? ['second', 1000]
  return plural(Math.floor(ms / size), word)
}

export function plural (count: number, word: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? word : `${word.replace(/(?<=[^aeiou])y$/, 'ie')}s`}`
}

/** Formats bytes in the largest binary unit that fits. */
export function bytes (count: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = count < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(count) / 10))
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${names[power]}`
}

/**
 * Describes when Voucherify switches the webhook off. This is an estimate: after that time the webhook may be off, and tierhook cannot see
 * whether it is.
 */
export function switchOff (disabledAt: string | null): Child[] {
  if (disabledAt === null) return ['not known']
  return Date.parse(disabledAt) > Date.now() ? ['if nothing changes, ', time(disabledAt)] : ['may be switched off since ', time(disabledAt)]
}
