import { accepted, type Decoded, refused } from './decoded.js'

const inBrackets = '\\[(?:\\*|\\d+|"[^",\\\\]+"|\'[^\',\\\\]+\')\\]'
const name = '(?:\\*|[A-Za-z_$][A-Za-z0-9_$]*)'
const path = new RegExp(`^(?:${name}|${inBrackets})(?:\\.${name}|${inBrackets})*$`)

/** Names that every object inherits. Redacting at one of them would change or hide a value that all objects share. */
const inherited = new Set(['__proto__', 'constructor', 'prototype'])

/** Reads a comma-separated list of paths in log lines, in the format of pino's `redact`. */
export function decodeLogPaths (text: string): Decoded {
  const paths = text.split(',').map(item => item.trim())
  const wrong = paths.find(item => !path.test(item))
  const shared = paths.find(item => partsOf(item).some(part => inherited.has(part)))
  if (wrong === undefined && shared !== undefined) {
    return refused(`must name no ${[...inherited].join(', no ')}: every object inherits something of that name, so it cannot hide a part of an event; take ${JSON.stringify(shared.slice(0, 80))} out`)
  }
  return wrong === undefined
    ? accepted(paths)
    : refused(`must be a comma-separated list of paths such as sourceAddress, data.customer.email, data["x-y"] or *.email; ${JSON.stringify(wrong.slice(0, 80))} is not one`)
}

/** Splits a path into its names, without brackets, dots and quotes. */
function partsOf (item: string): readonly string[] {
  return item.split(/[.[\]"']+/)
}
