import type { Answer } from './exchange.js'
import type { Hide } from './hide.js'

const LONGEST = 256

/**
 * What is kept of an answer beside its status: the start of its body, as one printable line; `undefined` where it has none.
 * @param hide takes out what must not show, should the destination send it back
 */
export function describeAnswer ({ start, whole }: Pick<Answer, 'start' | 'whole'>, hide: Hide): string | undefined {
  if (start.byteLength === 0) return undefined
  const text = printable(hide(Buffer.from(start).toString('utf8'), { whole }))
  const characters = [...text]
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('')}…` : text
  return cut === '' ? undefined : cut
}

/** On one line, without control characters and those that turn the direction of writing. */
function printable (text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{C}\uFFFD]+/gu, '\uFFFD').trim()
}
