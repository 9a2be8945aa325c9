import { wellFormedJson } from '../voucherify/readable-json.js'

// What a sender chose must not steer the terminal of whoever reads it, nor hide in it: control characters, line and paragraph
// separators, marks of direction, what has no width and is no joiner of letters, tags, and half surrogate pairs.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]/gu
/** The same but for line breaks and tabs. */
const controlInText = new RegExp(`(?![\\n\\t\\u2028\\u2029])${control.source}`, 'gu')

function escape (character: string): string {
  return character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

/** A text for one line of output, control characters written as escapes. */
export function printable (text: string): string {
  return text.replaceAll(control, escape)
}

/** A text of several lines, where line breaks and tabs stay. */
export function printableText (text: string): string {
  return text.replaceAll(controlInText, escape)
}

/**
 * A value as one line of JSON, in which the same stands as escapes: whoever parses it gets what was sent. Only half a surrogate pair becomes
 * U+FFFD, because jq refuses it.
 */
export function jsonLine (value: unknown): string {
  return `${printable(wellFormedJson(JSON.stringify(value)))}\n`
}

/** A number and what it counts: `1 delivery`, `2 deliveries`. */
export function plural (count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`
}

export const countDeliveries = (count: number): string => plural(count, 'delivery', 'deliveries')
