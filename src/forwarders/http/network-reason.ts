const LONGEST = 300

/** Why no answer came, in words. */
export function networkReason (error: unknown): string {
  return words(error).slice(0, LONGEST)
}

function words (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Where a name has several addresses and none can be reached, Node says nothing itself, only of each.
  const inner = error instanceof AggregateError ? [...new Set(error.errors.map(words))].join(', ') : ''
  const message = error.message || inner || error.name
  return error.cause instanceof Error ? `${message}: ${words(error.cause)}` : message
}
