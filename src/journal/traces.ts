import { hash } from 'node:crypto'
import type { Person } from '../delivery/operator-requests.js'

/** The characters of words. Without the bound, the expression would overflow the stack on a very long word. */
const LETTERS = /[\p{L}\p{N}_.@+%-]{1,1000}/gu
/** Characters that belong to some words, and that a text also puts before and after words. */
const EDGES = '.%+-'

/** The most digests that are cached: a few words make up most of the bodies. */
const KNOWN_WORDS = 20_000

/** The digest of a value in lower case. The list of erased people holds digests, so that it does not name the people. */
export function digestOf (value: string): string {
  return hash('sha256', value.toLowerCase())
}

/**
 * Returns a function that tells whether a text names one of the people. Ids and e-mail addresses count anywhere, as a word or as a
 * whole JSON string. A source id counts only as the value of a `source_id`: elsewhere the same number may mean something else.
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
      for (const word of wordsOf(text)) if (anywhere.has(digest(word)) || anywhere.has(digest(withoutEdges(word)))) return true
      for (const [, whole = ''] of text.matchAll(/"([^"]{1,1000})"/g)) if (anywhere.has(digest(whole))) return true
    }
    if (sourceIds.size > 0) {
      for (const [, value = ''] of text.matchAll(/"source_id"\s*:\s*"([^"]{1,1000})"/g)) if (sourceIds.has(digest(value))) return true
    }
    return false
  }

  return (text) => names(text) || (text.includes('\\') && names(unescaped(text)))
}

function * wordsOf (text: string): Generator<string> {
  let start = 0
  let end = 0
  for (const { 0: letters, index } of text.matchAll(LETTERS)) {
    if (index !== end) {
      if (end > start) yield text.slice(start, end)
      start = index
    }
    end = index + letters.length
  }
  if (end > start) yield text.slice(start, end)
}

/** Removes edge characters in one pass. A regular expression for the end would rescan from each of many dots. */
function withoutEdges (word: string): string {
  let start = 0
  let end = word.length
  while (start < end && EDGES.includes(word.charAt(start))) start++
  while (end > start && EDGES.includes(word.charAt(end - 1))) end--
  return word.slice(start, end)
}

/** Replaces JSON's escapes, because JSON may escape any character. */
function unescaped (text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|([^u]))/gi, (_all, code: string | undefined, other: string | undefined) =>
    code === undefined ? other ?? '' : String.fromCharCode(Number.parseInt(code, 16)))
}
