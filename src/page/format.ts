import { element, type Child } from './element.js'

/** A time as how long ago it was, or how soon it is, with the exact one in UTC beside it. */
export function time (iso: string): HTMLElement {
  const exact = exactTime(iso)
  return element('time', { datetime: iso, title: iso }, element('span', { class: 'ago', 'data-at': iso }, ago(iso)), ' ', element('span', { class: 'exact' }, exact))
}

/** How soon something is due, as it draws nearer. */
export function countdown (iso: string): HTMLElement {
  return element('span', { class: 'ago', 'data-due': iso, title: iso }, due(iso))
}

function due (iso: string): string {
  const ms = Date.parse(iso) - Date.now()
  return ms < 1000 ? 'due' : `in ${roughly(ms)}`
}

/** Lets every time in the page say anew how long ago it was. */
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

/** The date is left out where it is today's. */
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

/** The two greatest units of a duration in milliseconds: `1 d 3 h`, `12 s`. */
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

/** How long it is since then, in a sentence: `13 minutes`. */
export function inWords (iso: string): string {
  const ms = Math.max(1000, Date.now() - Date.parse(iso))
  const [word, size] = words.find(([, each]) => ms >= each) ?? ['second', 1000]
  return plural(Math.floor(ms / size), word)
}

export function plural (count: number, word: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? word : `${word.replace(/(?<=[^aeiou])y$/, 'ie')}s`}`
}

/** Bytes in the greatest binary unit that fits. */
export function bytes (count: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = count < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(count) / 10))
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${names[power]}`
}

/** An estimate: what lies behind us may have come to pass, and nobody here has seen it. */
export function switchOff (disabledAt: string | null): Child[] {
  if (disabledAt === null) return ['not known']
  return Date.parse(disabledAt) > Date.now() ? ['if nothing changes, ', time(disabledAt)] : ['may be switched off since ', time(disabledAt)]
}
