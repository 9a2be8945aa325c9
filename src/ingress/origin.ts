import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors.js'
import { createHeaderCheck, type RequiredHeader } from './authenticate.js'
import type { RefusalLog } from './refusal-log.js'

export interface OriginOptions {
  readonly requiredHeaders: readonly RequiredHeader[]
  /** Tells whether an address is one of the sender's; `undefined` where addresses are not looked at. */
  readonly sourceFilter: { readonly allows: (address: string) => boolean, readonly mode: 'monitor' | 'enforce' } | undefined
  readonly mayLog: RefusalLog['mayLog']
}

export type OriginCheck = (request: Pick<FastifyRequest, 'headers' | 'ip' | 'log'>) => void

/**
 * Makes the check that refuses what needs no body to be refused.
 * @returns a function that throws a {Problem} SOURCE_NOT_ALLOWED, HEADER_WRONG or MEDIA_TYPE_UNSUPPORTED
 */
export function createOriginCheck ({ requiredHeaders, sourceFilter, mayLog }: OriginOptions): OriginCheck {
  const checkHeaders = createHeaderCheck(requiredHeaders)
  return (request) => {
    if (sourceFilter !== undefined && !sourceFilter.allows(request.ip)) {
      if (sourceFilter.mode === 'enforce') throw new Problem('SOURCE_NOT_ALLOWED', { detail: 'The address that this request comes from is not in ALLOWED_SOURCES.' })
      if (mayLog({ code: 'SOURCE_NOT_LISTED', address: request.ip })) request.log.warn({ sourceAddress: request.ip }, 'webhook from an address that is not allowed')
    }
    checkHeaders(request.headers)
    // What is signed is what is received. To unpack it here would be to guess, and an invitation to bodies that explode.
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send the body without a content encoding.', headers: { 'accept-encoding': 'identity' } })
    }
  }
}
