import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { postBody } from './service-process.js'

const SENDERS = 12
const CUSTOMERS_PER_SENDER = 3
const GIVE_UP = 0.2
const AGAIN = 0.05

/** The results of everything that was sent. */
export interface SentTally {
  readonly acknowledged: ReadonlySet<string>
  /** Events whose every try was answered 503, and that were given up. */
  readonly refused: ReadonlySet<string>
  /** Answers that should never occur. */
  readonly otherAnswers: readonly string[]
  /** From the end of a fault until the next accepted webhook, in milliseconds. */
  readonly recoveries: readonly number[]
  readonly duplicates: number
  readonly unanswered: number
  /** Answers with status 503. */
  readonly refusals: number
}

export interface SteadySenders {
  readonly tally: SentTally
  readonly isSending: () => boolean
  /** Starts to measure the time until the next accepted webhook. */
  readonly healed: () => void
  /** Stops sending new events. Resolves when those in progress are answered or lost. */
  readonly stop: () => Promise<void>
}

export interface SenderOptions {
  readonly url: () => string
  readonly chance: (probability: number) => boolean
}

/** Starts twelve senders, each with its own customers. Each move is sent until it is acknowledged, or given up for good. */
export function startSenders ({ url, chance }: SenderOptions): SteadySenders {
  const acknowledged = new Set<string>()
  const refused = new Set<string>()
  const otherAnswers: string[] = []
  const recoveries: number[] = []
  const counts = { duplicates: 0, unanswered: 0, refusals: 0 }
  let healedAt: number | undefined
  let sending = true

  /** Sends one move after another, each when the previous one is acknowledged or given up for good. */
  async function sendMoves (sender: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let move = 0; sending; move++) {
      const eventId = `ev_${sender}_${move}`
      const body = bodyOf(eventId, `cust_${sender}_${move % CUSTOMERS_PER_SENDER}`, move)
      await sendUntilTaken(eventId, body, agent)
      if (acknowledged.has(eventId) && chance(AGAIN)) {
        const status = await sendOnce(body, agent)
        if (status === 202) otherAnswers.push(`a copy of ${eventId} was stored`)
      }
    }
    agent.destroy()
  }

  async function sendUntilTaken (eventId: string, body: Buffer, agent: Agent): Promise<void> {
    for (let certain = true; sending && !acknowledged.has(eventId);) {
      const status = await sendOnce(body, agent)
      if (status === undefined) {
        certain = false
        counts.unanswered++
        await sleep(20)
      } else if (status === 503) {
        counts.refusals++
        // If every try was answered 503, the sender may give up. The event must not be stored then.
        if (certain && chance(GIVE_UP)) {
          refused.add(eventId)
          return
        }
        await sleep(50)
      } else take(eventId, status)
    }
  }

  async function sendOnce (body: Buffer, agent: Agent): Promise<number | undefined> {
    try {
      return (await postBody(url(), body, agent)).status
    } catch {
      // The service was killed before it answered, or is not running.
      return undefined
    }
  }

  function take (eventId: string, status: number): void {
    if (status === 200) counts.duplicates++
    if (status !== 200 && status !== 202) {
      otherAnswers.push(`${eventId} was answered ${status}`)
      sending = false
    } else {
      acknowledged.add(eventId)
      if (healedAt !== undefined) recoveries.push(performance.now() - healedAt)
      healedAt = undefined
    }
  }

  const senders = Array.from({ length: SENDERS }, async (_, sender) => { await sendMoves(sender) })
  return {
    tally: {
      acknowledged,
      refused,
      otherAnswers,
      recoveries,
      get duplicates () { return counts.duplicates },
      get unanswered () { return counts.unanswered },
      get refusals () { return counts.refusals }
    },
    isSending: () => sending,
    healed () { healedAt = performance.now() },
    async stop () {
      sending = false
      await Promise.all(senders)
    }
  }
}

/** The present time, because an event that happened long ago is quarantined. */
const NOW = `${new Date().toISOString().slice(0, 19)}Z`

function bodyOf (eventId: string, customerId: string, move: number): Buffer {
  return Buffer.from(JSON.stringify({
    id: `whs_${eventId}`,
    type: 'tier.upgraded',
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: eventId, type: 'customer.loyalty.tier.upgraded', created_at: NOW },
    data: { customer: { id: customerId, object: 'customer', metadata: { move } }, campaign: null, loyalty_tier_from: null, loyalty_tier_to: { id: 'ltr_1' }, created_at: '2026-01-31T00:00:00Z' }
  }))
}
