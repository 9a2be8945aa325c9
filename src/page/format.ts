/** A time as the reader's clock shows it; the exact one stands in its `datetime` and title. */
export function time (iso: string): HTMLTimeElement {
  const made = document.createElement('time')
  made.dateTime = iso
  made.title = iso
  const at = new Date(iso)
  const today = new Date().toDateString() === at.toDateString()
  made.textContent = today ? at.toLocaleTimeString() : at.toLocaleString()
  return made
}

const units: ReadonlyArray<readonly [string, number]> = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]]

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

/** Bytes in the greatest binary unit that fits. */
export function bytes (count: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = count < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(count) / 10))
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${names[power]}`
}
