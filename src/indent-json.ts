/** A string; a bracket that holds nothing; a mark; or anything else, which is a number or a word. */
const tokens = /"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s{}[\],:"]+/g

/**
 * Lays JSON text out over lines. Strings and numbers stay as they are written: what goes through a parser and back may
 * lose digits. The text must be JSON.
 */
export function indentJson (text: string): string {
  let depth = 0
  let result = ''
  const newLine = (): string => `\n${'  '.repeat(depth)}`
  for (const [token] of text.matchAll(tokens)) {
    switch (token) {
      case '{':
      case '[':
        depth++
        result += `${token}${newLine()}`
        break
      case '}':
      case ']':
        depth--
        result += `${newLine()}${token}`
        break
      case ',':
        result += `,${newLine()}`
        break
      case ':':
        result += ': '
        break
      default:
        result += /^[{[]/.test(token) ? `${token[0]}${token.at(-1)}` : token
    }
  }
  return result
}
