import type { Answer } from './exchange.js'

const LONGEST = 256

/**
 * What is kept of an answer: its status and the start of its body, as one printable line.
 * @param secrets texts that must not show, should the destination send them back
 */
export function describeAnswer ({ statusCode, start }: Pick<Answer, 'statusCode' | 'start'>, secrets: readonly string[]): string {
  const text = printable(hide(Buffer.from(start).toString('utf8'), secrets))
  const characters = [...text]
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('')}…` : text
  return cut === '' ? `status ${statusCode}` : `status ${statusCode}: ${cut}`
}

function hide (text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text)
}

/** On one line, without control characters and those that turn the direction of writing. */
function printable (text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{C}\uFFFD]+/gu, '\uFFFD').trim()
}
