import type { Status } from '../composition/stored-needs.js'
import { errorCode } from '../errors/system-code.js'
import { serviceUrl } from '../config/addresses.js'

/** Answer of a running service, or why there is none. */
export type AskedStatus = { readonly url: string, readonly status: Status } | { readonly url: string, readonly silent: string }

export interface AskStatusOptions {
  readonly host: string
  readonly port: number
  readonly token: string | undefined
}

const LIMIT_MS = 5000

/** Asks the configured operator's listener for the status of the service. */
export async function askStatus ({ host, port, token }: AskStatusOptions): Promise<AskedStatus> {
  const url = serviceUrl(host, port)
  try {
    const response = await fetch(`${url}/api/status`, { signal: AbortSignal.timeout(LIMIT_MS), headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
    const answer: unknown = await response.json()
    if (response.ok && isStatus(answer)) return { url, status: answer }
    const detail = typeof answer === 'object' && answer !== null && 'detail' in answer ? `: ${String(answer.detail)}` : ''
    return { url, silent: `answered ${response.status}${detail}` }
  } catch (error) {
    return { url, silent: error instanceof Error && error.name === 'TimeoutError' ? `did not answer within ${LIMIT_MS / 1000} s` : `cannot be reached (${errorCode(error) || 'no JSON'})` }
  }
}

/** Checks only the fields used here. Another program may listen at this port. */
function isStatus (answer: unknown): answer is Status {
  return typeof answer === 'object' && answer !== null && 'version' in answer && 'startedAt' in answer && 'ready' in answer && 'needs' in answer && Array.isArray(answer.needs)
}
