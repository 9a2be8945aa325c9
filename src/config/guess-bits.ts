/** What people write where a token is asked for, and keys that lie side by side. */
const WORDS = [
  'admin', 'bearer', 'cafebabe', 'deadbeef', 'default', 'development', 'dummy', 'example', 'foobar', 'letmein', 'loyalty', 'passw0rd', 'password', 'production', 'random',
  'secret', 'secure', 'staging', 'string', 'tierhook', 'token', 'voucherify', 'webhook', 'welcome', 'qwertyuiop', 'qwerty', 'asdfghjkl', 'asdf', 'zxcvbnm', 'qwertzuiop',
  'qwertz', 'yxcvbnm'
]

/** A part of a text that somebody guesses at once, and what that costs. */
interface Part {
  readonly length: number
  readonly bits: number
}

const SHORTEST_PATTERN = 3

/**
 * How many bits somebody has to guess who knows how people make up tokens: well-known words, characters that follow one another, and what was
 * there before cost little; any other character is one of as many as the text has. A rough measure: it tells no sentence from random letters.
 */
export function guessBits (text: string): number {
  const lower = text.toLowerCase()
  const perCharacter = Math.log2(new Set(text).size)
  let bits = 0
  for (let at = 0; at < lower.length;) {
    const patterns = [wordAt(lower, at), runAt(lower, at, perCharacter), repeatAt(lower, at)].filter((part) => part !== undefined)
    const longest = patterns.reduce<Part>((one, other) => other.length > one.length ? other : one, { length: 1, bits: perCharacter })
    bits += Math.min(longest.bits, longest.length * perCharacter)
    at += longest.length
  }
  return bits
}

function wordAt (text: string, at: number): Part | undefined {
  const lengths = WORDS.filter((word) => text.startsWith(word, at)).map(({ length }) => length)
  return lengths.length === 0 ? undefined : { length: Math.max(...lengths), bits: Math.log2(WORDS.length) }
}

/** Equal characters, or such as `abcd` and `4321`. */
function runAt (text: string, at: number, perCharacter: number): Part | undefined {
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at)
  if (!(Math.abs(step) <= 1)) return undefined
  let length = 2
  while (text.charCodeAt(at + length) - text.charCodeAt(at + length - 1) === step) length++
  return length < SHORTEST_PATTERN ? undefined : { length, bits: perCharacter + Math.log2(3 * length) }
}

/** What was in the text before, also where it runs on into itself. */
function repeatAt (text: string, at: number): Part | undefined {
  let longest = 0
  for (let from = 0; from < at; from++) {
    let length = 0
    while (at + length < text.length && text[from + length] === text[at + length]) length++
    longest = Math.max(longest, length)
  }
  return longest < SHORTEST_PATTERN ? undefined : { length: longest, bits: Math.log2(at * longest) }
}
