import type { httpOptions, OptionValues } from '../../config/forwarder-options.js'
import type { Attempt, ForwardContext, Forwarder, Outcome } from '../../delivery/forwarder.js'
import { createClient } from './client.js'
import { contentOf } from './content.js'
import { describeAnswer } from './describe-answer.js'
import { createHide } from './hide.js'
import { judgeAnswer, networkReason, outcomeOf } from './judge-answer.js'
import type { LookUp } from './names/look-up.js'
import { type Header, isReservedHeader, ownHeaders } from './own-headers.js'
import { createRefusals } from './refusals.js'
import { routeTo } from './route.js'
import { sentSecrets } from './sent-secrets.js'
import { signingKey, standardSignature } from './standard-signature.js'
import { tryConnection } from './try-connection.js'

/** The configured options, which the settings describe, and the forwarder's dependencies. */
export interface HttpForwarderOptions extends Omit<OptionValues<typeof httpOptions>, 'headers'> {
  readonly name: string
  /** http or https. */
  readonly url: string
  /** The longest wait that a destination may ask for, in milliseconds. */
  readonly retryAfterMaxMs: number
  /** Headers of every request. They must not be reserved ones. */
  readonly headers: readonly Header[]
  /** After how many refusals a delivery is dead. A refusal is a 4xx status other than 407, 408, 425, 429 and those of `permanentStatus`. */
  readonly refusalLimit?: number
  /** The version in the `user-agent` header. */
  readonly version: string
  /** The variables that may name a proxy. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Finds the addresses of the destination and its proxy. Absent: as the system does. */
  readonly lookUp?: LookUp
  /** Wall-clock time, in milliseconds since the epoch. */
  readonly now: () => number
}

const REFUSAL_LIMIT = 5
/** The most deliveries whose refusals are counted. */
const REMEMBERED_REFUSALS = 10_000
const BODY_LIMIT_BYTES = 4096
const KEEP_BYTES = 2048
/** By how much the pump's timeout is longer, in milliseconds. So the forwarder's own timeout ends first: its error says what took so long. */
const GRACE_MS = 1000

/**
 * Makes a forwarder that posts each delivery to a URL, as the received bytes or as a CloudEvent. Headers describe the delivery. If secrets
 * are configured, a signature proves its origin.
 * @throws {TypeError} if a header is reserved, or if a secret or a proxy is malformed
 */
export function createHttpForwarder (options: HttpForwarderOptions): Forwarder {
  const { name, order, concurrency, timeoutMs, format, retryAfterMaxMs, refusalLimit = REFUSAL_LIMIT, now } = options
  const reserved = options.headers.find((header) => isReservedHeader(header.name))
  if (reserved !== undefined) throw new TypeError(`The header ${reserved.name} is the http forwarder's own and cannot be set`)
  const keys = options.secrets.map(signingKey)
  const permanent = new Set(options.permanentStatus)
  const hide = createHide(sentSecrets({ url: options.url, headers: options.headers, route: routeTo(options.url, options.environment) }))
  const fixed = [...options.headers.flatMap((header) => [header.name, header.value]), 'user-agent', `tierhook/${options.version}`]
  const { destination, exchange } = createClient({
    url: options.url, connections: concurrency, timeoutMs, environment: options.environment, lookUp: options.lookUp, bodyLimitBytes: BODY_LIMIT_BYTES, keepBytes: KEEP_BYTES
  })
  const { origin, path } = destination
  const refused = createRefusals(REMEMBERED_REFUSALS)

  async function post (attempt: Attempt, context: ForwardContext): Promise<Outcome> {
    const { id } = attempt.delivery
    const content = contentOf(attempt.delivery, format)
    const timestamp = Math.floor(now() / 1000)
    // A flat list, because building an object with so many keys took a tenth of a request's time.
    const headers = fixed.concat(content.headers, ownHeaders(attempt, timestamp))
    if (keys.length > 0) headers.push('webhook-signature', standardSignature({ id, timestamp, body: content.body }, keys))
    const answer = await exchange({ origin, path, method: 'POST', headers, body: content.body }, context)
    const judgement = judgeAnswer(answer, permanent)
    if (attempt.number === 1) refused.forget(id)
    const outcome = outcomeOf(answer, {
      judgement,
      text: describeAnswer(answer, hide),
      refusals: judgement === 'refused' ? refused.add(id) : 0,
      refusalLimit,
      retryAfterMaxMs,
      now: now()
    })
    if (outcome.status !== 'retry') refused.forget(id)
    return outcome
  }

  async function attemptOne (attempt: Attempt, context: ForwardContext): Promise<Outcome> {
    try {
      return await post(attempt, context)
    } catch (error) {
      return { status: 'retry', reason: networkReason(error) }
    }
  }

  return {
    name,
    order,
    concurrency,
    batchSize: 1,
    timeoutMs: timeoutMs + GRACE_MS,
    recordsSuccess: true,
    async forward (attempts, context) {
      const outcomes: Outcome[] = []
      // There is only one attempt, because `batchSize` is 1.
      for (const attempt of attempts) outcomes.push(await attemptOne(attempt, context))
      return { outcomes }
    },
    async check (signal) { await tryConnection(destination, signal) },
    close: destination.close
  }
}
