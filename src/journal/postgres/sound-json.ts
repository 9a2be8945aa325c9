/** How JSON writes U+0000 and unpaired surrogates. PostgreSQL can store neither in a text. */
const UNSOUND = /\\u(?:0000|d[89a-f])/

/** Returns the value as JSON that PostgreSQL accepts. Characters that it cannot store become U+FFFD. */
export function soundJson (value: unknown): string {
  const text = JSON.stringify(value)
  return UNSOUND.test(text) ? JSON.stringify(value, (_name, each: unknown) => typeof each === 'string' ? soundText(each) : each) : text
}

export function soundText (text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
