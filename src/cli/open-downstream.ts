import { resolve } from 'node:path'
import type { Downstream } from '../sender/downstream.js'
import { downstreamFile } from '../sender/downstream-file.js'
import { downstreamOperator } from '../sender/downstream-operator.js'
import { UsageError } from './usage-error.js'

/** Whether what a user wrote for a place is a URL and not a path. */
export function isUrl (place: string): boolean {
  return /^https?:\/\//i.test(place)
}

/**
 * Opens the place where acknowledged events are looked for; `undefined` where the user named none.
 * @throws UsageError where a URL is none
 */
export function openDownstream (place: string | undefined, { directory, token }: { readonly directory: string, readonly token: string | undefined }): Downstream | undefined {
  if (place === undefined) return undefined
  if (!isUrl(place)) return downstreamFile(resolve(directory, place))
  if (!URL.canParse(place)) throw new UsageError(`${place} is not a URL: write --verify http://127.0.0.1:3001, for example`)
  return downstreamOperator({ url: new URL(place), token })
}
