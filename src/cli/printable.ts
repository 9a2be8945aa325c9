// What a sender chose must not steer the terminal of whoever reads it.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g
// eslint-disable-next-line no-control-regex
const controlInText = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g

function escape (character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A text for one line of output, control characters written as escapes. */
export function printable (text: string): string {
  return text.replaceAll(control, escape)
}

/** A text of several lines, where line breaks and tabs stay. */
export function printableText (text: string): string {
  return text.replaceAll(controlInText, escape)
}
