import { canonicalBytes } from '../voucherify/canonical-bytes.js'
import { readEnvelope, type EnvelopeFacts } from '../voucherify/identify.js'
import { isJsonObject, parseBody } from '../voucherify/parse-body.js'
import { seal, type SealOptions } from './seal.js'
import type { PayloadGenerator } from './webhook.js'

export interface BodyGeneratorOptions {
  readonly bytes: Uint8Array
  /** Whether the bytes go out as they are, though JSON, rather than compact as Voucherify writes it. */
  readonly asIs: boolean
  readonly urlOf: (facts: EnvelopeFacts | null) => URL
  readonly seal: SealOptions
}

export interface BodyGenerator extends PayloadGenerator {
  /** The id that the body carries in its envelope, if there is one: the event's, or else the send-out's. */
  readonly bodyId: string | undefined
}

/** One body, the same each time. */
export function createBodyGenerator ({ bytes, asIs, urlOf, seal: sealOptions }: BodyGeneratorOptions): BodyGenerator {
  const parsed = parseBody(bytes)
  const facts = parsed.ok && isJsonObject(parsed.value) ? readEnvelope(parsed.value) : null
  // What is no JSON, such as a plain string, is signed as it is.
  const signed = parsed.ok ? canonicalBytes(bytes) : bytes
  const webhook = { url: urlOf(facts), body: asIs ? bytes : signed, headers: seal(signed, sealOptions) }
  const source = facts?.sourceId ?? 'one source'
  return { sources: [source], sourceOf: () => source, webhook: () => webhook, bodyId: facts?.eventId ?? facts?.id ?? undefined }
}
