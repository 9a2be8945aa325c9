import { hash } from 'node:crypto'
import type { Person } from '../../../delivery/operator.js'

/** Digests of words that were met before, at most: the same few fill most bodies. */
const KNOWN_WORDS = 20_000

/** The digest that a person is remembered by: of the value in lower case, so that the list of the erased does not name them. */
export function digestOf (value: string): string {
  return hash('sha256', value.toLowerCase())
}

/**
 * Finds texts that name one of the people: an id or e-mail address anywhere as a word or as a whole JSON string, a source id only as
 * the value of a `source_id`, because it may be a number that stands for anything elsewhere.
 */
export function createTraces (people: readonly Person[]): (text: string) => boolean {
  const anywhere = new Set(people.filter(({ by }) => by !== 'source_id').map(({ digest }) => digest))
  const sourceIds = new Set(people.filter(({ by }) => by === 'source_id').map(({ digest }) => digest))
  const known = new Map<string, string>()

  function digest (word: string): string {
    const found = known.get(word)
    if (found !== undefined) return found
    if (known.size >= KNOWN_WORDS) known.clear()
    const made = digestOf(word)
    known.set(word, made)
    return made
  }

  function names (text: string): boolean {
    if (anywhere.size > 0) {
      for (const [word] of text.matchAll(/[\p{L}\p{N}_.@+%-]+/gu)) {
        if (anywhere.has(digest(word)) || anywhere.has(digest(word.replaceAll(/^[.%+-]+|[.%+-]+$/g, '')))) return true
      }
      for (const [, whole = ''] of text.matchAll(/"([^"]{1,1000})"/g)) if (anywhere.has(digest(whole))) return true
    }
    if (sourceIds.size > 0) {
      for (const [, value = ''] of text.matchAll(/"source_id"\s*:\s*"([^"]{1,1000})"/g)) if (sourceIds.has(digest(value))) return true
    }
    return false
  }

  return (text) => names(text) || (text.includes('\\') && names(unescaped(text)))
}

/** JSON may write any character by its number. */
function unescaped (text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|([^u]))/gi, (_all, code: string | undefined, other: string | undefined) =>
    code === undefined ? other ?? '' : String.fromCharCode(Number.parseInt(code, 16)))
}
