import { KindGuard } from '@sinclair/typebox'
import type { TSchema } from '@sinclair/typebox'
import ipaddr from 'ipaddr.js'
import { isSourceEntry } from '../voucherify/source-addresses.js'
import { decodeCredential, decodeId } from './decode-credential.js'
import { decodeExpectations } from './decode-expectations.js'
import { decodeHeaders } from './decode-headers.js'
import { decodeLogPaths } from './decode-log-paths.js'
import { decodeNames } from './decode-names.js'
import { decodeSecrets } from './decode-secrets.js'
import { decodeSigningSecrets } from './decode-signing-secrets.js'
import { decodeStatuses } from './decode-statuses.js'
import { decodeToken } from './decode-token.js'
import { decodeTrustProxy } from './decode-trust-proxy.js'
import { decodeApiUrl, decodeBaseUrl, decodeUrl } from './decode-url.js'
import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

function decodeHost (text: string): Decoded {
  const isHost = ipaddr.IPv6.isValid(text) || /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/i.test(text)
  return isHost ? accepted(text) : refused('must be an address or a host name alone, without scheme, port or brackets')
}

function decodeSources (text: string): Decoded {
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !isSourceEntry(item))
  return wrong === undefined
    ? accepted(items)
    : refused(`must be a comma-separated list of eu1, us1, as1, addresses and CIDR blocks; ${JSON.stringify(wrong)} is none of these`)
}

/** How a text is read where the schema's type alone does not tell. */
const syntaxes: ReadonlyMap<unknown, (text: string) => Decoded> = new Map([
  ['api-url', decodeApiUrl],
  ['base-url', decodeBaseUrl],
  ['credential', decodeCredential],
  ['expectations', decodeExpectations],
  ['headers', decodeHeaders],
  ['host', decodeHost],
  ['id', decodeId],
  ['log-paths', decodeLogPaths],
  ['names', decodeNames],
  ['secrets', decodeSecrets],
  ['signing-secrets', decodeSigningSecrets],
  ['sources', decodeSources],
  ['statuses', decodeStatuses],
  ['token', decodeToken],
  ['trust-proxy', decodeTrustProxy],
  ['url', decodeUrl]
])

/** The choices of a union of string literals; `undefined` if it is anything else. */
function choicesOf (schema: TSchema): string[] | undefined {
  if (!KindGuard.IsUnion(schema)) return undefined
  return schema.anyOf.flatMap(member => KindGuard.IsLiteralString(member) ? [member.const] : [])
}

function decodeInteger (text: string, minimum: number, maximum: number, unit: unknown): Decoded {
  const value = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : NaN
  if (value >= minimum && value <= maximum) return accepted(value)
  return refused(`must be a whole number${typeof unit === 'string' ? ` of ${unit}` : ''} from ${minimum} to ${maximum}, in digits only`)
}

function decodeList (text: string, choices: readonly string[]): Decoded {
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !choices.includes(item))
  if (wrong !== undefined) return refused(`must be a comma-separated list of ${choices.join(', ')}; ${JSON.stringify(wrong)} is none of these`)
  const twice = items.find((item, index) => items.indexOf(item) !== index)
  return twice === undefined ? accepted(items) : refused(`names ${twice} twice; name each once`)
}

/**
 * Reads a variable's text, trimmed of surrounding white space, by its schema.
 * @throws Error if the schema is of a kind that no text can be read by, which is a mistake in the schema.
 */
export function decodeSetting (schema: TSchema, text: string): Decoded {
  const trimmed = text.trim()
  const decode = syntaxes.get(schema['syntax'])
  if (decode !== undefined) return decode(trimmed)
  if (KindGuard.IsInteger(schema)) {
    return decodeInteger(trimmed, schema.minimum ?? -Infinity, schema.maximum ?? Infinity, schema['unit'])
  }
  if (KindGuard.IsBoolean(schema)) {
    return trimmed === 'true' || trimmed === 'false' ? accepted(trimmed === 'true') : refused('must be true or false, in lower case')
  }
  if (KindGuard.IsString(schema)) return trimmed === '' ? refused('is blank; give it a value, or remove it') : accepted(trimmed)
  const choices = choicesOf(schema)
  if (choices !== undefined) return choices.includes(trimmed) ? accepted(trimmed) : refused(`must be one of ${choices.join(', ')}`)
  const itemChoices = KindGuard.IsArray(schema) ? choicesOf(schema.items) : undefined
  if (itemChoices !== undefined) return decodeList(trimmed, itemChoices)
  throw new Error('No text can be read by this schema: give it a syntax')
}
