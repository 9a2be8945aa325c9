import { accepted, type Decoded, refused } from './decoded.js'
import { guessBits } from './guess-bits.js'

/**
 * A bearer token with a name and a role. The name shows in the log and in the list of actions who used the token. The role says whether the
 * token may only read, or also change something.
 */
export interface NamedToken {
  readonly name: string
  readonly role: 'read' | 'operate'
  readonly token: string
}

/** The name of the token in `ADMIN_TOKEN`. */
export const SOLE_TOKEN_NAME = 'admin'

/** The least length and the least number of bits. With less, a token can be guessed by someone who may try for long. */
const MIN_LENGTH = 24
const MIN_BITS = 64
/** The longest token. A request may have 16 KiB of headers in total. */
const MAX_LENGTH = 1024
/** The most tokens. Each is compared for each request. */
const MAX_TOKENS = 50

const ADVICE = '"openssl rand -hex 32" makes a good one'

/** Placeholders in examples that are meant to be replaced, without the marks between their words. */
const PLACEHOLDER = /chang(?:e|ed)(?:me|this|it)|replace(?:me|this|with|by)|placeholder|insert(?:your|here|token)|your(?:own)?(?:admin|api|bearer|secret)?(?:token|secret|key)/

/** Reads a bearer token. RFC 6750, section 2.1, specifies its characters. */
export function decodeToken (text: string): Decoded<string> {
  if (text.length < MIN_LENGTH) return refused(`must have ${MIN_LENGTH} characters or more; ${ADVICE}`)
  if (text.length > MAX_LENGTH) return refused(`must have ${MAX_LENGTH} characters or fewer: it is sent in a header; ${ADVICE}`)
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(text)) return refused('may contain only letters, digits and - . _ ~ + /, with = at the end: it is sent in a header')
  if (PLACEHOLDER.test(text.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))) return refused(`is a placeholder, which anyone would try first; ${ADVICE}`)
  if (guessBits(text) < MIN_BITS) return refused(`can be guessed: it repeats itself, or is made of well-known words or rows of characters; ${ADVICE}`)
  return accepted(text)
}

/**
 * Reads a comma-separated list of `name:role:token`. Empty items are ignored, so that a list can be built from parts that may be empty. A reason
 * identifies an item by its name if that is valid, else by its number: an invalid name may be a token.
 */
export function decodeTokens (text: string): Decoded<readonly NamedToken[]> {
  const tokens: NamedToken[] = []
  for (const [index, item] of text.split(',').map((each) => each.trim()).entries()) {
    if (item === '') continue
    const [, name = '', role, secret = ''] = /^([a-z0-9][a-z0-9_-]{0,39}):(read|operate):(.*)$/s.exec(item) ?? []
    if (role !== 'read' && role !== 'operate') return refused(`must be a comma-separated list of name:read:token and name:operate:token, the names of lower-case letters, digits, - and _; item ${index + 1} is not one`)
    if (name === SOLE_TOKEN_NAME) return refused(`names a token ${name}, which is the name of ADMIN_TOKEN; take another one`)
    if (tokens.some((other) => other.name === name)) return refused(`names ${name} twice; give each token a name of its own`)
    const decoded = decodeToken(secret)
    if (!decoded.ok) return refused(`has a token, that of ${name}, which ${decoded.reason}`)
    const same = tokens.find((other) => other.token === decoded.value)
    if (same !== undefined) return refused(`has the same token for ${same.name} and ${name}, so the log could not tell who used it; ${ADVICE}`)
    tokens.push({ name, role, token: decoded.value })
  }
  if (tokens.length === 0) return refused('names no token; add one, such as prometheus:read:TOKEN, or remove it')
  return tokens.length > MAX_TOKENS ? refused(`must not have more than ${MAX_TOKENS} tokens`) : accepted(tokens)
}

/** Returns all tokens: `ADMIN_TOKEN`, which may do everything, and those of `ADMIN_TOKENS`. */
export function allTokens ({ ADMIN_TOKEN, ADMIN_TOKENS }: { readonly ADMIN_TOKEN?: string | undefined, readonly ADMIN_TOKENS: readonly NamedToken[] }): readonly NamedToken[] {
  return ADMIN_TOKEN === undefined ? ADMIN_TOKENS : [{ name: SOLE_TOKEN_NAME, role: 'operate', token: ADMIN_TOKEN }, ...ADMIN_TOKENS]
}
