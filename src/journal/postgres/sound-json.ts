/** What JSON writes of U+0000 and of half a surrogate pair: PostgreSQL has neither in its text. */
const UNSOUND = /\\u(?:0000|d[89a-f])/

/** A value as JSON that PostgreSQL takes, whatever its texts hold: U+FFFD stands for what it cannot store. */
export function soundJson (value: unknown): string {
  const text = JSON.stringify(value)
  return UNSOUND.test(text) ? JSON.stringify(value, (_name, each: unknown) => typeof each === 'string' ? soundText(each) : each) : text
}

export function soundText (text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
