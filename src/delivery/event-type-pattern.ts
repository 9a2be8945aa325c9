/**
 * Makes a test for whether an event type matches a pattern, in which each `*` stands for any run of characters, also for none. Each part is
 * matched at its first occurrence only. A regular expression would try every occurrence, which takes minutes with several `*` and a long type.
 */
export function eventTypePattern (pattern: string): (eventType: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (eventType) => eventType === first
  return (eventType) => {
    let at = first.length
    if (!eventType.startsWith(first)) return false
    for (const part of rest) {
      const found = eventType.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return eventType.length - last.length >= at && eventType.endsWith(last)
  }
}
