import type { IncomingMessage } from 'node:http'
import { Problem } from '../errors/problem.js'

/**
 * Returns a problem if the head of a request can be read in two ways, so that a proxy may have read it differently (RFC 9112, sections 3.2 and
 * 6.1). Applies to every path.
 */
export function framingFault ({ headers, rawHeaders, httpVersion }: IncomingMessage): Problem | undefined {
  if (headers.host === undefined && httpVersion === '1.1') return wrong('The Host header is missing.')
  if (hasTwoHosts(rawHeaders)) return wrong('There is more than one Host header.')
  const coding = headers['transfer-encoding']
  if (coding === undefined) return undefined
  if (httpVersion === '1.0') return wrong('HTTP/1.0 has no Transfer-Encoding.')
  return coding.trim().toLowerCase() === 'chunked' ? undefined : wrong('The only supported Transfer-Encoding is chunked.')
}

/** Looks at the raw headers, because node keeps only the first Host header. */
function hasTwoHosts (rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

function wrong (detail: string): Problem {
  return new Problem('BAD_REQUEST', { detail })
}
