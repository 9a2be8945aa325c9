import type { Answer } from './exchange.js'
import type { Hide } from './hide.js'

const MAX_LENGTH = 256

/**
 * Returns the start of an answer's body as one printable line, to be kept beside the status; `undefined` if the body is empty.
 * @param hide removes secrets that the destination may have sent back
 */
export function describeAnswer ({ start, whole }: Pick<Answer, 'start' | 'whole'>, hide: Hide): string | undefined {
  if (start.byteLength === 0) return undefined
  const text = printable(hide(Buffer.from(start).toString('utf8'), { whole }))
  const characters = [...text]
  const cut = characters.length > MAX_LENGTH ? `${characters.slice(0, MAX_LENGTH).join('')}…` : text
  return cut === '' ? undefined : cut
}

/** Makes one line without control characters and without characters that change the direction of writing. */
function printable (text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{C}\uFFFD]+/gu, '\uFFFD').trim()
}
