import { hash } from 'node:crypto'
import { EVENT_KEYS } from './catalogue.js'
import { isJsonObject, objectOrEmpty, type JsonObject } from './parse-body.js'
import { sortedJson } from './sorted-json.js'
import { isOldVersion } from './webhook-version.js'

/** Facts in an event's envelope. `null`: the envelope does not contain the fact. */
export interface EnvelopeFacts {
  readonly eventType: string | null
  /** The id of the send-out. */
  readonly id: string | null
  readonly projectId: string | null
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
}

/** Longer ids and types are not the sender's. They count as absent. */
export const MAX_ID_LENGTH = 256

/**
 * Whether a body is an envelope and not a bare event body. Both may have keys that no schema lists. `data` and an `event` object make an
 * envelope. Otherwise one of these two keys is enough if the body has a mark of an envelope and, unless it has both, no key of a bare body.
 * The mark is required because a custom body may have `data` or `event` too, beside an `id` and a time that belong to a customer.
 */
export function isEnvelope (body: JsonObject): boolean {
  const data = Object.hasOwn(body, 'data')
  const event = Object.hasOwn(body, 'event')
  if (data && isJsonObject(body['event'])) return true
  return (data || event) && isMarked(body) && ((data && event) || !EVENT_KEYS.some((key) => Object.hasOwn(body, key)))
}

/** Whether a body has a key that envelopes have and custom bodies hardly ever have. */
function isMarked (body: JsonObject): boolean {
  return Object.hasOwn(body, 'project_id') || isJsonObject(body['source']) || isOldVersion(body)
}

/** Reads the facts from an envelope; `null` for a bare body. Parts of the wrong type count as absent. */
export function readEnvelope (body: JsonObject): EnvelopeFacts | null {
  if (!isEnvelope(body)) return null
  const event = objectOrEmpty(body['event'])
  const source = objectOrEmpty(body['source'])
  return {
    eventType: typeName(event['type']),
    id: exactText(body['id']),
    projectId: text(body['project_id']),
    sourceObject: text(source['object']),
    sourceId: exactText(source['id']),
    eventId: exactText(event['id'])
  }
}

/** Returns the ids of the customer and the campaign in an event's own body. */
export function readSubject (data: unknown): { customerId: string | null, campaignId: string | null } {
  const body = objectOrEmpty(data)
  const campaign = text(objectOrEmpty(body['campaign'])['id'])
  const tier = objectOrEmpty(body['loyalty_tier'] ?? body['loyalty_tier_to'] ?? body['loyalty_tier_from'])
  return { customerId: text(objectOrEmpty(body['customer'])['id']), campaignId: campaign ?? text(tier['campaign_id']) }
}

export interface Identified {
  readonly facts: EnvelopeFacts | null
  readonly body: JsonObject
  readonly rawBody: Uint8Array
}

/**
 * Returns the key by which duplicates of an event are found; `null` if a duplicate cannot be recognized.
 *
 * 1. `source.id` and `event.id`. The same event from two distributions makes two deliveries.
 * 2. Else the send-out's `id`, if the body has the mark of an envelope.
 * 3. Else the content, if the body contains its own time.
 *
 * A body with neither an id nor a time may rightly come twice. Only signed parts count, so the same content at another URL is the same event.
 */
export function dedupeKey ({ facts, body, rawBody }: Identified): string | null {
  if (facts !== null && facts.sourceId !== null && facts.eventId !== null) return `event:${JSON.stringify([facts.sourceId, facts.eventId])}`
  if (facts !== null && facts.id !== null && isMarked(body)) return `send-out:${facts.id}`
  const time = text(body['created_at']) ?? (facts === null ? null : text(objectOrEmpty(body['event'])['created_at']))
  return time === null ? null : contentKey(rawBody, { json: true })
}

/**
 * Returns the key of a body's content. In JSON, two differences do not count: white space between tokens, which the signature does not cover,
 * and the order of keys, which the sender's database changes.
 * @param options.json whether the body is known to be JSON; if not, every byte counts
 */
export function contentKey (rawBody: Uint8Array, { json }: { readonly json: boolean }): string {
  return `content:${hash('sha256', json ? Buffer.from(sortedJson(rawBody), 'latin1') : rawBody, 'base64url')}`
}

/**
 * Returns a text of 1 to 256 characters; `null` for other values. Unpaired surrogates and U+0000, which JSON allows (RFC 8259, section 8.2),
 * become U+FFFD: the former cannot be stored as text, and some bindings of SQLite end a text at the latter.
 */
function text (value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_LENGTH ? value.toWellFormed().replaceAll('\0', '\uFFFD') : null
}

/** Returns a text that identifies events. One that `text` would change counts as absent, because two different ids could become equal. */
function exactText (value: unknown): string | null {
  const known = text(value)
  return known === value ? known : null
}

/** Returns a type of printable ASCII without spaces, because it becomes a name in logs and headers. */
function typeName (value: unknown): string | null {
  const name = text(value)
  return name !== null && /^[\x21-\x7E]+$/.test(name) ? name : null
}
