import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors/problem.js'
import { createHeaderCheck, type RequiredHeader } from './authenticate.js'
import { createHostCheck, refuseForeignOrigin } from '../http/foreign-sites.js'
import type { RefusalLog } from '../http/refusal-log.js'

export interface OriginOptions {
  /** The webhook secrets. If there are none, requests from pages of other sites are refused. */
  readonly secrets: readonly string[]
  /** The names of the service, besides its addresses and `localhost`. */
  readonly hostNames: readonly string[]
  readonly requiredHeaders: readonly RequiredHeader[]
  /** Tells whether an address is one of the sender's; `undefined` if addresses are not checked. */
  readonly sourceFilter: { readonly allows: (address: string) => boolean, readonly mode: 'monitor' | 'enforce' } | undefined
  readonly mayLog: RefusalLog['mayLog']
}

export type OriginCheck = (request: Pick<FastifyRequest, 'headers' | 'ip' | 'log'>) => void

const HOST_WRONG = 'Without VOUCHERIFY_WEBHOOK_SECRETS the Host header must be an address, localhost, HOST, or the name in PUBLIC_URL. ' +
  'Set the secret, or PUBLIC_URL to the address that webhooks are sent to.'

/**
 * Makes the check that refuses requests for reasons that do not need the body.
 * @returns a function that throws a {Problem} ORIGIN_NOT_ALLOWED, SOURCE_NOT_ALLOWED, HEADER_WRONG or MEDIA_TYPE_UNSUPPORTED
 */
export function createOriginCheck ({ secrets, hostNames, requiredHeaders, sourceFilter, mayLog }: OriginOptions): OriginCheck {
  const checkHost = createHostCheck({ names: hostNames, addresses: 'any', detail: HOST_WRONG })
  const checkHeaders = createHeaderCheck(requiredHeaders)
  return (request) => {
    if (secrets.length === 0) {
      checkHost(request.headers)
      refuseForeignOrigin(request.headers)
    }
    if (sourceFilter !== undefined && !sourceFilter.allows(request.ip)) {
      if (sourceFilter.mode === 'enforce') throw new Problem('SOURCE_NOT_ALLOWED', { detail: 'The address that this request comes from is not in ALLOWED_SOURCES.' })
      if (mayLog({ code: 'SOURCE_NOT_LISTED', address: request.ip })) request.log.warn({ sourceAddress: request.ip }, 'webhook from an address that is not allowed')
    }
    checkHeaders(request.headers)
    // The signature covers the bytes as received. To unpack them would be a guess, and would allow small bodies that unpack to huge ones.
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send the body without a content encoding.', headers: { 'accept-encoding': 'identity' } })
    }
  }
}
