import { hash } from 'node:crypto'
import type { Person } from '../delivery/operator-requests.js'

/** Letters of words. An expression without a bound runs out of stack on a very long one. */
const LETTERS = /[\p{L}\p{N}_.@+%-]{1,1000}/gu
/** What a text puts before and after a word, and is a part of some words. */
const EDGES = '.%+-'

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

/** In one pass: an expression for the end would look at each of many dots anew. */
function withoutEdges (word: string): string {
  let start = 0
  let end = word.length
  while (start < end && EDGES.includes(word.charAt(start))) start++
  while (end > start && EDGES.includes(word.charAt(end - 1))) end--
  return word.slice(start, end)
}

/** JSON may write any character by its number. */
function unescaped (text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|([^u]))/gi, (_all, code: string | undefined, other: string | undefined) =>
    code === undefined ? other ?? '' : String.fromCharCode(Number.parseInt(code, 16)))
}
