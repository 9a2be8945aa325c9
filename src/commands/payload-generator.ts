import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AcknowledgedOptions } from '../simulator/acknowledged.js'
import type { EventIds } from '../simulator/event-ids.js'
import { createBodyGenerator } from '../simulator/body-generator.js'
import { createSampleGenerator } from '../simulator/sample-generator.js'
import type { PayloadGenerator } from '../simulator/webhook.js'
import { findEvent } from '../voucherify/catalogue.js'
import { errorCode } from '../errors/system-code.js'
import type { SendOptions } from './send.js'
import { sendTarget } from './send-target.js'
import { UsageError } from './command-line.js'

export interface MakeGeneratorOptions {
  readonly types: readonly string[]
  readonly ids: EventIds
  readonly seed: string
  /** The directory of a relative path. */
  readonly directory: string
  /** The configured secret; the receiver may use another one. */
  readonly secret: string | undefined
  readonly serviceUrl: string
}

export interface MadeGenerator {
  readonly generator: PayloadGenerator
  /** URL of the first event. All events go to the same origin. */
  readonly url: URL
  readonly signed: boolean
  /** How events are identified downstream. */
  readonly ids: Pick<AcknowledgedOptions, 'eventIds' | 'bodyId'>
}

const wrongSecret = 'not the secret of any receiver'
const bodyLimitBytes = 67_108_864

/**
 * Creates the generator for the options of `send`.
 * @throws UsageError if a file cannot be read, or a URL is invalid
 */
export async function makeGenerator (options: SendOptions, { types, ids, seed, directory, secret, serviceUrl }: MakeGeneratorOptions): Promise<MadeGenerator> {
  const key = options.wrongSecret === true ? wrongSecret : options.unsigned === true || secret === '' ? undefined : secret
  const seal = { secret: key, headers: options.header ?? {} }
  const signed = key !== undefined
  const target = (eventType: string | undefined, raw: boolean): URL =>
    sendTarget({ eventType, raw, known: eventType !== undefined && findEvent(eventType) !== undefined, url: options.url, serviceUrl })

  const [first, ...others] = types
  if (options.body !== undefined) {
    const generator = createBodyGenerator({
      bytes: await readBody(options.body, directory),
      asIs: options.bodyAsIs === true,
      urlOf: facts => target(first, facts === null),
      seal
    })
    return { generator, url: generator.webhook(0, 0).url, signed, ids: { eventIds: undefined, bodyId: generator.bodyId } }
  }
  if (first === undefined) throw new UsageError('Nothing to send. Name an event type')
  const raw = options.raw === true
  const generator = createSampleGenerator({
    types: [first, ...others],
    kind: options.source === 'webhook' ? 'project' : options.source,
    raw,
    invalid: options.invalid === true,
    urlOf: eventType => target(eventType, raw),
    eventIds: ids,
    seed,
    seal
  })
  return { generator, url: target(first, raw), signed, ids: { eventIds: raw ? undefined : ids } }
}

async function readBody (path: string, directory: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(resolve(directory, path))
    if (bytes.byteLength <= bodyLimitBytes) return bytes
  } catch (error) {
    throw new UsageError(`The body ${path} cannot be read (${errorCode(error)}): check its path and its permissions`)
  }
  throw new UsageError(`The body ${path} is larger than ${bodyLimitBytes} bytes`)
}
