/** White space, an empty bracket pair, a punctuation mark, the quote that opens a string, or any other token: a number or a word. */
const tokens = /\s+|\{\s*\}|\[\s*\]|[{}[\],:"]|[^\s{}[\],:"]+/y

/** Deeper levels stay on one line: 20,000 levels laid out would take a gigabyte of white space. */
const DEEPEST = 100
/** After the result reaches this length, in characters, the rest stays on one line. */
const MAX_LENGTH = 16_777_216

/**
 * Lays JSON text out over several lines. Strings and numbers stay as written, because a parser may lose digits. The text must be valid JSON, of
 * any depth.
 */
export function indentJson (text: string): string {
  let depth = 0
  let result = ''
  const isLaidOut = (): boolean => depth <= DEEPEST && result.length <= MAX_LENGTH
  const newLine = (): string => `\n${'  '.repeat(depth)}`
  for (let at = 0; at < text.length;) {
    tokens.lastIndex = at
    const token = tokens.exec(text)?.[0] ?? text.slice(at)
    const end = token === '"' ? stringEnd(text, at) : at + token.length
    switch (token) {
      case '{':
      case '[':
        depth++
        result += isLaidOut() ? `${token}${newLine()}` : token
        break
      case '}':
      case ']': {
        const laidOut = isLaidOut()
        depth--
        result += laidOut ? `${newLine()}${token}` : token
        break
      }
      case ',':
        result += isLaidOut() ? `,${newLine()}` : ','
        break
      case ':':
        result += isLaidOut() ? ': ' : ':'
        break
      case '"':
        result += text.slice(at, end)
        break
      default:
        result += /^[{[]/.test(token) ? `${token[0]}${token.at(-1)}` : token.trim()
    }
    at = end
  }
  return result
}

/** Returns the index after the string that begins at `start`. A regular expression would overflow the stack on a long string. */
function stringEnd (text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end
    while (text[before - 1] === '\\') before--
    if ((end - before) % 2 === 0) return end + 1
  }
  return text.length
}
