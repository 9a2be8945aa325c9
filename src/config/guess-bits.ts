/** Words that people write when a token is asked for, and rows of keys on a keyboard. */
const WORDS = [
  'admin', 'bearer', 'cafebabe', 'deadbeef', 'default', 'development', 'dummy', 'example', 'foobar', 'letmein', 'loyalty', 'passw0rd', 'password', 'production', 'random',
  'secret', 'secure', 'staging', 'string', 'tierhook', 'token', 'voucherify', 'webhook', 'welcome', 'qwertyuiop', 'qwerty', 'asdfghjkl', 'asdf', 'zxcvbnm', 'qwertzuiop',
  'qwertz', 'yxcvbnm'
]

/** A part of a text that is easy to guess, and the bits that guessing it takes. */
interface Part {
  readonly length: number
  readonly bits: number
}

const MIN_PATTERN_LENGTH = 3

/**
 * Estimates how many bits must be guessed by someone who knows how people make up tokens. Well-known words, runs of characters and repetitions
 * cost little. Every other character counts as one of the distinct characters in the text. The measure is rough: it does not tell a sentence
 * from random letters.
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

/** Equal characters, or runs such as `abcd` and `4321`. */
function runAt (text: string, at: number, perCharacter: number): Part | undefined {
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at)
  if (!(Math.abs(step) <= 1)) return undefined
  let length = 2
  while (text.charCodeAt(at + length) - text.charCodeAt(at + length - 1) === step) length++
  return length < MIN_PATTERN_LENGTH ? undefined : { length, bits: perCharacter + Math.log2(3 * length) }
}

/** A part that occurs earlier in the text. The two may overlap. */
function repeatAt (text: string, at: number): Part | undefined {
  let longest = 0
  for (let from = 0; from < at; from++) {
    let length = 0
    while (at + length < text.length && text[from + length] === text[at + length]) length++
    longest = Math.max(longest, length)
  }
  return longest < MIN_PATTERN_LENGTH ? undefined : { length: longest, bits: Math.log2(at * longest) }
}
