import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

/** Reads a comma-separated list of HTTP statuses of answers that are no success. */
export function decodeStatuses (text: string): Decoded {
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !/^[345]\d\d$/.test(item))
  return wrong === undefined
    ? accepted(items.map(Number))
    : refused(`must be a comma-separated list of HTTP statuses from 300 to 599; ${JSON.stringify(wrong)} is none`)
}
