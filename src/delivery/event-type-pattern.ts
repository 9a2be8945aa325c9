/**
 * Tells whether an event type is of a pattern, in which each `*` stands for any run of characters. It takes the first place for each part: a
 * regular expression would try them all, which for several `*` and a long type takes minutes.
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
