import { setTimeout as pause } from 'node:timers/promises'

/** The share of 503 answers after which the sender tries again. */
const RETRYING = 0.7
export const CUSTOMERS = 12

export interface Sent {
  readonly event: string
  readonly customer: string
  /** The id in the answer with status 202 or 200. */
  deliveryId: string | undefined
  /** Whether every try was answered 503. The event must not be stored then. */
  refused: boolean
}

export interface Answer {
  readonly status: number
  readonly id: string | undefined
  /** Why the event was not accepted. */
  readonly detail: string | undefined
}

export interface SenderOptions {
  readonly replicas: number
  readonly random: () => number
  readonly post: (index: number, event: string, customer: string) => Promise<Answer>
  readonly violations: string[]
}

/** Sends each customer's events one after another, to any replica, until it is stopped. */
export function startSender ({ replicas, random, post, violations }: SenderOptions): { readonly sent: readonly Sent[], readonly stop: () => Promise<void> } {
  const sent: Sent[] = []
  let stopped = false

  /** Tries until the event is accepted or given up. */
  async function send (one: Sent): Promise<void> {
    for (;;) {
      const answer = await post(Math.floor(random() * replicas), one.event, one.customer).catch(() => undefined)
      if (answer === undefined) one.refused = false
      else if (answer.status === 200 || answer.status === 202) {
        if (answer.id === undefined) violations.push(`${one.event} was answered ${answer.status} without an id`)
        one.deliveryId = answer.id
        one.refused = false
        return
      } else if (answer.status !== 503) violations.push(`${one.event} was answered ${answer.status}`)
      if (answer !== undefined && (stopped || random() > RETRYING)) return
      await pause(50 + random() * 200)
    }
  }

  async function sendAll (customer: string): Promise<void> {
    for (let number = 0; !stopped; number++) {
      const one: Sent = { event: `ev_${customer}_${number}`, customer, deliveryId: undefined, refused: true }
      sent.push(one)
      await send(one)
      await pause(50 + random() * 100)
    }
  }

  const senders = Array.from({ length: CUSTOMERS }, async (_, index) => { await sendAll(`cust_${index}`) })
  return {
    sent,
    async stop () {
      stopped = true
      await Promise.all(senders)
    }
  }
}

/** Makes numbers from a seed. A linear congruential generator is good enough here. */
export function randomOf (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
