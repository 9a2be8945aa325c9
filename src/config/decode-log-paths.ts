import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

const inBrackets = '\\[(?:\\*|\\d+|"[^",\\\\]+"|\'[^\',\\\\]+\')\\]'
const name = '(?:\\*|[A-Za-z_$][A-Za-z0-9_$]*)'
const path = new RegExp(`^(?:${name}|${inBrackets})(?:\\.${name}|${inBrackets})*$`)

/** Reads a comma-separated list of paths into log lines, as pino's `redact` takes them. */
export function decodeLogPaths (text: string): Decoded {
  const paths = text.split(',').map(item => item.trim())
  const wrong = paths.find(item => !path.test(item))
  return wrong === undefined
    ? accepted(paths)
    : refused(`must be a comma-separated list of paths such as sourceAddress, data.customer.email, data["x-y"] or *.email; ${JSON.stringify(wrong.slice(0, 80))} is none`)
}
