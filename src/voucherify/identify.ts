import { hash } from 'node:crypto'
import { EVENT_KEYS } from './catalogue.js'
import { isJsonObject, objectOrEmpty, type JsonObject } from './parse-body.js'
import { sortedJson } from './sorted-json.js'
import { isOldVersion } from './webhook-version.js'

/** What the sender says of an event in its envelope. `null`: it does not say. */
export interface EnvelopeFacts {
  readonly eventType: string | null
  /** The send-out. */
  readonly id: string | null
  readonly projectId: string | null
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
}

/** Ids and types longer than this are not the sender's: they are treated as absent. */
export const LONGEST_ID = 256

/**
 * Tells an envelope from a bare event body by what is in it. Both may hold keys that nobody has listed, so an envelope
 * that lacks one of its two keys, `data` and `event`, still counts as one, unless it has a key of a bare body. But a body of the
 * team's own design may have such a key too, beside an `id` and a time that are a customer's: so something else has to be an envelope's.
 */
export function isEnvelope (body: JsonObject): boolean {
  const data = Object.hasOwn(body, 'data')
  const event = Object.hasOwn(body, 'event')
  if (data && isJsonObject(body['event'])) return true
  return (data || event) && isMarked(body) && ((data && event) || !EVENT_KEYS.some((key) => Object.hasOwn(body, key)))
}

/** Whether it has a key that an envelope has, and a body of the team's own design hardly. */
function isMarked (body: JsonObject): boolean {
  return Object.hasOwn(body, 'project_id') || isJsonObject(body['source']) || isOldVersion(body)
}

/** Reads the facts from an envelope, of which each part may or may not be what it should; `null` for a bare body. */
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

/** The member and the campaign that an event is about, from its own body. */
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
 * The key under which copies of an event are found: the pair `source.id` and `event.id`, since the same event sent by two
 * distributions is two deliveries; else the send-out's `id`, where `project_id` or `source` shows that it is one; else the content, if the body carries its own time. Nothing that is
 * not signed is a part of it: the same content at another URL is the same event. `null`: a body with neither an id nor a time may
 * rightly come twice, and copies cannot be told.
 */
export function dedupeKey ({ facts, body, rawBody }: Identified): string | null {
  if (facts !== null && facts.sourceId !== null && facts.eventId !== null) return `event:${JSON.stringify([facts.sourceId, facts.eventId])}`
  if (facts !== null && facts.id !== null && isMarked(body)) return `send-out:${facts.id}`
  const time = text(body['created_at']) ?? (facts === null ? null : text(objectOrEmpty(body['event'])['created_at']))
  return time === null ? null : contentKey(rawBody, { json: true })
}

/**
 * The key of a body's content. Of JSON neither the white space between tokens counts, which the signature does not cover, nor the
 * order of keys, which the sender's database changes.
 * @param options.json whether the body is known to be JSON; of anything else every byte counts
 */
export function contentKey (rawBody: Uint8Array, { json }: { readonly json: boolean }): string {
  return `content:${hash('sha256', json ? Buffer.from(sortedJson(rawBody), 'latin1') : rawBody, 'base64url')}`
}

/**
 * JSON may write half a surrogate pair (RFC 8259, section 8.2) and U+0000. The one cannot be stored as text, and at the other some bindings
 * of SQLite end the text that they read: U+FFFD stands in their place.
 */
function text (value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_ID ? value.toWellFormed().replaceAll('\0', '\uFFFD') : null
}

/** Text by which events are told apart: two that differ in such a half alone would become one, so it is treated as absent. */
function exactText (value: unknown): string | null {
  const known = text(value)
  return known === value ? known : null
}

/** Printable ASCII without spaces, since it becomes a name in logs and headers. */
function typeName (value: unknown): string | null {
  const name = text(value)
  return name !== null && /^[\x21-\x7E]+$/.test(name) ? name : null
}
