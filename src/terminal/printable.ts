import { wellFormedJson } from '../voucherify/readable-json.js'

// Text chosen by a sender must not control the reader's terminal or hide in it. Escaped are: control characters, line and paragraph separators,
// direction marks, characters without width that do not join letters, tags, and lone surrogates.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}\uD800-\uDFFF]/gu
/** The same characters except line breaks and tabs. */
const controlInText = new RegExp(`(?![\\n\\t\\u2028\\u2029])${control.source}`, 'gu')

function escape (character: string): string {
  return character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

/** Returns a text for one line of output, with control characters as escapes. */
export function printable (text: string): string {
  return text.replaceAll(control, escape)
}

/** Returns a text of several lines, with control characters as escapes except line breaks and tabs. */
export function printableText (text: string): string {
  return text.replaceAll(controlInText, escape)
}

/**
 * Formats a value as one line of JSON, with control characters as JSON escapes: a parser returns the original text. Only a lone surrogate becomes
 * U+FFFD, because jq refuses it.
 */
export function jsonLine (value: unknown): string {
  return `${printable(wellFormedJson(JSON.stringify(value)))}\n`
}

/** Formats a number with its noun: `1 delivery`, `2 deliveries`. */
export function plural (count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`
}

export const countDeliveries = (count: number): string => plural(count, 'delivery', 'deliveries')
