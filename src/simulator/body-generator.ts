import { canonicalBytes } from '../voucherify/canonical-bytes.js'
import { readEnvelope, type EnvelopeFacts } from '../voucherify/identify.js'
import { isJsonObject, parseBody } from '../voucherify/parse-body.js'
import { seal, type SealOptions } from './seal.js'
import type { PayloadGenerator } from './webhook.js'

export interface BodyGeneratorOptions {
  readonly bytes: Uint8Array
  /** Whether to send the bytes unchanged. Otherwise JSON is made compact, as Voucherify writes it. */
  readonly asIs: boolean
  readonly urlOf: (facts: EnvelopeFacts | null) => URL
  readonly seal: SealOptions
}

export interface BodyGenerator extends PayloadGenerator {
  /** The event's id in the envelope, or else the id of the send-out; `undefined` if there is neither. */
  readonly bodyId: string | undefined
}

/** Makes a generator that returns the same body each time. */
export function createBodyGenerator ({ bytes, asIs, urlOf, seal: sealOptions }: BodyGeneratorOptions): BodyGenerator {
  const parsed = parseBody(bytes)
  const facts = parsed.ok && isJsonObject(parsed.value) ? readEnvelope(parsed.value) : null
  // Anything but JSON, such as a plain string, is signed unchanged.
  const signed = parsed.ok ? canonicalBytes(bytes) : bytes
  const webhook = { url: urlOf(facts), body: asIs ? bytes : signed, headers: seal(signed, sealOptions) }
  const source = facts?.sourceId ?? 'one source'
  return { sources: [source], sourceOf: () => source, webhook: () => webhook, bodyId: facts?.eventId ?? facts?.id ?? undefined }
}
