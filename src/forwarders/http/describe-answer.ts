import type { Answer } from './exchange.js'

const LONGEST = 256

/**
 * What is kept of an answer beside its status: the start of its body, as one printable line; `undefined` where it has none.
 * @param secrets texts that must not show, should the destination send them back
 */
export function describeAnswer ({ start }: Pick<Answer, 'start'>, secrets: readonly string[]): string | undefined {
  if (start.byteLength === 0) return undefined
  const text = printable(hide(Buffer.from(start).toString('utf8'), secrets))
  const characters = [...text]
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('')}…` : text
  return cut === '' ? undefined : cut
}

function hide (text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text)
}

/** On one line, without control characters and those that turn the direction of writing. */
function printable (text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{C}\uFFFD]+/gu, '\uFFFD').trim()
}
