import type { Answer } from '../sender/answer.js'
import { printable } from './printable.js'

/** An answer as one line, such as `202 Webhook accepted  0199…  valid  3.1 ms`, and one more for each fault. */
export function formatAnswer (answer: Answer): string {
  const message = answer.duplicate === true ? `${answer.message} (held already)` : answer.message
  const line = [`${answer.status} ${message}`, answer.id, answer.verdict, `${answer.durationMs.toFixed(1)} ms`]
    .filter(part => part !== undefined)
    .join('  ')
  return [line, ...answer.faults ?? []].map(printable).join('\n    ')
}
