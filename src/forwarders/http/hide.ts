/** Secrets shorter than this are hidden only as whole words, because such short texts occur everywhere by chance. */
const MIN_ANYWHERE_LENGTH = 6
/** The shortest beginning of a secret that is hidden, in characters: anywhere in a text, and at the end of a text that was cut. */
const MIN_BEGINNING_LENGTH = 8
const MIN_BEGINNING_AT_CUT_LENGTH = 3
/** How many layers of encoding are decoded. */
const MAX_ENCODINGS = 3
const HIDDEN = '[hidden]'

/** Every escape begins with one of these. A text without any of them needs no decoding. */
const MAY_BE_ENCODED = /[%\\&]/
/** Percent-encoding, the escapes of JSON and JavaScript, and the references of HTML. */
const ESCAPES = /(?:%[0-9a-f]{2})+|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[\\/"']|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos|sol|equals|quest|percnt|plus|colon|commat|num);/g
/** An escape that the end of the text cuts off. */
const CUT_ESCAPE = /(?:%[0-9a-f]?|\\(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?|&#?[0-9a-z]{0,7}|\uFFFD)$/
const NAMED: Readonly<Record<string, string>> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'', sol: '/', equals: '=', quest: '?', percnt: '%', plus: '+', colon: ':', commat: '@', num: '#'
}

/** A text as it is searched. `from` and `to` give each character's range in the original text. */
interface View {
  readonly text: string
  readonly from: readonly number[]
  readonly to: readonly number[]
}

export interface HideOptions {
  /** Whether the text is complete. The end of a cut text may be the beginning of a secret. */
  readonly whole: boolean
}

/** Replaces secrets in a text with `[hidden]`. */
export type Hide = (text: string, options: HideOptions) => string

/**
 * Makes a function that replaces secrets with `[hidden]`. Upper and lower case are the same. Secrets are found even if they are encoded for
 * URLs, JSON or HTML, up to three times.
 */
export function createHide (secrets: readonly string[]): Hide {
  const searched = [...new Set(secrets.flatMap((secret) => [secret, decoded(secret)]).map(plain))].filter((secret) => secret !== '')
  const beginnings = searched.map((secret) => secret.slice(0, MIN_BEGINNING_LENGTH))
  return (text, { whole }) => {
    const searchedText = plain(text)
    // Return early, because most answers contain no secret.
    if (whole && !MAY_BE_ENCODED.test(text) && !beginnings.some((beginning) => searchedText.includes(beginning))) return text
    const found: Array<readonly [from: number, to: number]> = []
    let view: View | undefined = viewOf(searchedText)
    for (let level = 0; view !== undefined && level <= MAX_ENCODINGS; level++) {
      for (const secret of searched) {
        for (const { at, length } of placesOf(secret, view.text)) found.push([view.from[at] ?? 0, view.to[at + length - 1] ?? 0])
        const at = whole ? -1 : beginningAtEnd(secret, view.text)
        if (at !== -1) found.push([view.from[at] ?? 0, text.length])
      }
      view = decode(view)
    }
    return replace(text, found)
  }
}

function viewOf (text: string): View {
  const from = Array.from({ length: text.length }, (_each, place) => place)
  return { text, from, to: from.map((place) => place + 1) }
}

/** Returns the text in lower case, with `+` as the space for which it may stand. The length stays the same, so positions stay valid. */
function plain (text: string): string {
  const lower = text.toLowerCase()
  const same = lower.length === text.length ? lower : Array.from({ length: text.length }, (_each, index) => asOne(text.charAt(index))).join('')
  return same.replaceAll('+', ' ')
}

function asOne (character: string): string {
  const lower = character.toLowerCase()
  return lower.length === 1 ? lower : character
}

/** Finds a secret in a text, or a beginning of it, because programs often shorten the values that they show. */
function * placesOf (secret: string, text: string): Generator<{ readonly at: number, readonly length: number }> {
  const beginning = secret.slice(0, MIN_BEGINNING_LENGTH)
  for (let at = text.indexOf(beginning); at !== -1; at = text.indexOf(beginning, at + 1)) {
    const length = beginning.length + sameFrom(secret, text, { inSecret: beginning.length, inText: at + beginning.length })
    if (secret.length >= MIN_ANYWHERE_LENGTH || !(isWordAt(text, at - 1) || isWordAt(text, at + length))) yield { at, length }
  }
}

function sameFrom (secret: string, text: string, { inSecret, inText }: { readonly inSecret: number, readonly inText: number }): number {
  let length = 0
  while (inSecret + length < secret.length && secret.charAt(inSecret + length) === text.charAt(inText + length)) length++
  return length
}

function isWordAt (text: string, at: number): boolean {
  return /[\p{L}\p{N}]/u.test(text.charAt(at))
}

/** Returns where the text's last part starts, if that part is a beginning of the secret; -1 if there is none. */
function beginningAtEnd (secret: string, text: string): number {
  if (secret.length < MIN_ANYWHERE_LENGTH) return -1
  const end = text.replace(CUT_ESCAPE, '')
  for (let length = Math.min(secret.length - 1, end.length); length >= MIN_BEGINNING_AT_CUT_LENGTH; length--) {
    if (end.endsWith(secret.slice(0, length))) return end.length - length
  }
  return -1
}

/** Returns the view with one layer of escapes decoded; `undefined` if there are none. */
function decode (view: View): View | undefined {
  if (!MAY_BE_ENCODED.test(view.text)) return undefined
  let text = ''
  const from: number[] = []
  const to: number[] = []
  function keep (start: number, end: number): void {
    text += view.text.slice(start, end)
    for (let at = start; at < end; at++) {
      from.push(view.from[at] ?? 0)
      to.push(view.to[at] ?? 0)
    }
  }
  function put (meant: string, start: number, end: number): void {
    text += plain(meant)
    for (let unit = 0; unit < meant.length; unit++) {
      from.push(view.from[start] ?? 0)
      to.push(view.to[end - 1] ?? 0)
    }
  }
  let done = 0
  for (const { 0: escape, index } of view.text.matchAll(ESCAPES)) {
    keep(done, index)
    done = index
    for (const [written, meant] of meaningsOf(escape)) {
      put(meant, done, done + written.length)
      done += written.length
    }
  }
  if (done === 0) return undefined
  keep(done, view.text.length)
  return { text, from, to }
}

/** Returns the parts of a run of escapes, each with its meaning. */
function meaningsOf (escape: string): ReadonlyArray<readonly [written: string, meant: string]> {
  if (escape.startsWith('%')) return percentMeanings(escape)
  if (escape.startsWith('&#x')) return [[escape, character(escape.slice(3, -1), 16)]]
  if (escape.startsWith('&#')) return [[escape, character(escape.slice(2, -1), 10)]]
  if (escape.startsWith('&')) return [[escape, NAMED[escape.slice(1, -1)] ?? escape]]
  if (/^\\[ux]/.test(escape)) return [[escape, character(escape.slice(2), 16)]]
  return [[escape, escape.slice(1)]]
}

function character (digits: string, radix: number): string {
  const code = parseInt(digits, radix)
  return code <= 0x10FFFF ? String.fromCodePoint(code) : '\uFFFD'
}

/** Decodes each UTF-8 character by itself, because each has its own position in the original. */
function percentMeanings (run: string): ReadonlyArray<readonly [string, string]> {
  const meanings: Array<readonly [string, string]> = []
  for (let at = 0; at < run.length;) {
    const lead = parseInt(run.slice(at + 1, at + 3), 16)
    const bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    const whole = run.slice(at, at + 3 * bytes)
    const meant = decoded(whole)
    const written = meant === whole ? run.slice(at, at + 3) : whole
    meanings.push([written, meant === whole ? written : meant])
    at += written.length
  }
  return meanings
}

/** Returns the text unchanged if it cannot be decoded. */
function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign without two digits, or bytes that are not UTF-8.
    return text
  }
}

function replace (text: string, ranges: ReadonlyArray<readonly [number, number]>): string {
  let hidden = ''
  let done = 0
  for (const [from, to] of [...ranges].sort(([one], [other]) => one - other)) {
    if (to <= done) continue
    // Overlapping and adjacent ranges become one `[hidden]`.
    hidden += from > done || hidden === '' ? `${text.slice(done, from)}${HIDDEN}` : ''
    done = to
  }
  return `${hidden}${text.slice(done)}`
}
