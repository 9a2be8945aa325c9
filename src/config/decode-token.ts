import { accepted, type Decoded, refused } from './decoded.js'
import { guessBits } from './guess-bits.js'

/** A bearer token with the name by which log and list tell who bore it, and what its bearer may do: look, or also change something. */
export interface NamedToken {
  readonly name: string
  readonly role: 'read' | 'operate'
  readonly token: string
}

/** What the token of `ADMIN_TOKEN` is called. */
export const SOLE_TOKEN_NAME = 'admin'

/** Fewer could be guessed by somebody who may try for long. */
const LEAST = 24
const LEAST_BITS = 64
/** A request has 16 KiB for all of its headers. */
const MOST = 1024
/** Each is compared for each request. */
const MOST_TOKENS = 50

const ADVICE = '"openssl rand -hex 32" makes a good one'

/** What stands in examples to be replaced, without the marks between its words. */
const PLACEHOLDER = /chang(?:e|ed)(?:me|this|it)|replace(?:me|this|with|by)|placeholder|insert(?:your|here|token)|your(?:own)?(?:admin|api|bearer|secret)?(?:token|secret|key)/

/** Reads a bearer token: RFC 6750, section 2.1, says what may stand in one. */
export function decodeToken (text: string): Decoded<string> {
  if (text.length < LEAST) return refused(`must have ${LEAST} characters or more; ${ADVICE}`)
  if (text.length > MOST) return refused(`must have ${MOST} characters or fewer: it is sent in a header; ${ADVICE}`)
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(text)) return refused('may hold letters, digits and - . _ ~ + / alone, with = at the end: it is sent in a header')
  if (PLACEHOLDER.test(text.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))) return refused(`is a placeholder, which anybody would try; ${ADVICE}`)
  if (guessBits(text) < LEAST_BITS) return refused(`can be guessed: it repeats itself, or is made of well-known words or rows of characters; ${ADVICE}`)
  return accepted(text)
}

/**
 * Reads a comma-separated list of `name:role:token`. An empty item is passed over, so that a list can be put together of parts that may be
 * empty. A reason tells an item by its number, or by its name once that is one: what stands in its place may be a token.
 */
export function decodeTokens (text: string): Decoded<readonly NamedToken[]> {
  const tokens: NamedToken[] = []
  for (const [index, item] of text.split(',').map((each) => each.trim()).entries()) {
    if (item === '') continue
    const [, name = '', role, secret = ''] = /^([a-z0-9][a-z0-9_-]{0,39}):(read|operate):(.*)$/s.exec(item) ?? []
    if (role !== 'read' && role !== 'operate') return refused(`must be a comma-separated list of name:read:token and name:operate:token, the names of lower-case letters, digits, - and _; item ${index + 1} is none`)
    if (name === SOLE_TOKEN_NAME) return refused(`names a token ${name}, which is the name of ADMIN_TOKEN; take another one`)
    if (tokens.some((other) => other.name === name)) return refused(`names ${name} twice; give each token a name of its own`)
    const decoded = decodeToken(secret)
    if (!decoded.ok) return refused(`has a token, that of ${name}, which ${decoded.reason}`)
    const same = tokens.find((other) => other.token === decoded.value)
    if (same !== undefined) return refused(`has one token for ${same.name} and ${name}: nobody could tell who it was; ${ADVICE}`)
    tokens.push({ name, role, token: decoded.value })
  }
  if (tokens.length === 0) return refused('names no token; add one, such as prometheus:read:TOKEN, or remove it')
  return tokens.length > MOST_TOKENS ? refused(`must not have more than ${MOST_TOKENS} tokens`) : accepted(tokens)
}

/** Every token that there is: `ADMIN_TOKEN`, which may do everything, and those of `ADMIN_TOKENS`. */
export function allTokens ({ ADMIN_TOKEN, ADMIN_TOKENS }: { readonly ADMIN_TOKEN?: string | undefined, readonly ADMIN_TOKENS: readonly NamedToken[] }): readonly NamedToken[] {
  return ADMIN_TOKEN === undefined ? ADMIN_TOKENS : [{ name: SOLE_TOKEN_NAME, role: 'operate', token: ADMIN_TOKEN }, ...ADMIN_TOKENS]
}
