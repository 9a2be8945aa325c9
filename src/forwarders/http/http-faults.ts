import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Fault } from '../../errors/problem.js'
import { isJsonObject, type JsonObject } from '../../voucherify/parse-body.js'
import { escapeToken } from '../substitute-variables.js'
import { isReservedHeader } from './own-headers.js'
import { signingKey } from './standard-signature.js'

/**
 * Returns the faults in an http forwarder's options that the schema cannot express. Values of the wrong type are left out: the schema reports them.
 */
export function httpFaults ({ url, headers, secrets }: JsonObject): readonly Fault[] {
  return [
    ...typeof url === 'string' && !isDestination(url) ? [{ pointer: '/url', message: 'must be an http:// or https:// URL without a user name or password' }] : [],
    ...isJsonObject(headers) ? headerFaults(headers) : [],
    ...Array.isArray(secrets) ? secrets.flatMap((secret: unknown, index) => secretFaults(secret, `/secrets/${index}`)) : []
  ]
}

function isDestination (text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

function headerFaults (headers: JsonObject): readonly Fault[] {
  const seen = new Set<string>()
  return Object.entries(headers).flatMap(([name, value]) => {
    const again = seen.has(name.toLowerCase())
    seen.add(name.toLowerCase())
    const message = again ? 'is there twice: header names ignore upper and lower case' : headerFault(name, value)
    return message === undefined ? [] : [{ pointer: `/headers/${escapeToken(name)}`, message }]
  })
}

function headerFault (name: string, value: unknown): string | undefined {
  if (isReservedHeader(name)) return 'is sent by the http forwarder itself, or belongs to the connection; take it out'
  if (throws(() => { validateHeaderName(name) })) return 'is not the name of a header'
  if (typeof value !== 'string') return undefined
  return value.trim() === '' || throws(() => { validateHeaderValue(name, value) }) ? 'is not a value that a header can carry' : undefined
}

/** Returns the faults of a signing secret. The message does not contain the secret. */
function secretFaults (secret: unknown, pointer: string): readonly Fault[] {
  if (typeof secret !== 'string') return []
  try {
    signingKey(secret)
    return []
  } catch (error) {
    return [{ pointer, message: `is not a signing secret: ${error instanceof Error ? error.message : String(error)}` }]
  }
}

function throws (check: () => void): boolean {
  try {
    check()
    return false
  } catch {
    // The error's message quotes the value, so it is not used.
    return true
  }
}
