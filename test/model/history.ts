import { isDeepStrictEqual } from 'node:util'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import type { Appended } from '../../src/delivery/journal.js'
import type { Attempt, Outcome } from '../../src/delivery/forwarder.js'

/** What the sender knows of one of its webhooks. `unanswered`: the process died before it answered. */
export type Answer = 'pending' | 'stored' | 'refused' | 'unanswered'

export interface Sent {
  readonly delivery: NewDelivery
  answer: Answer
  sequence: number | undefined
  /** In quarantine now. */
  quarantined: boolean
  released: boolean
  pruned: boolean
  /** Stored, though the process that was to answer may not know. */
  unsure: boolean
  /** Copies that were answered as duplicates of it. */
  duplicates: number
}

/** What a forwarder must have got, and has, since the journal knows it. */
export interface Sink {
  readonly name: string
  readonly keepsOrder: 'none' | 'customer' | 'arrival'
  readonly wants: (delivery: { readonly eventType: string }) => boolean
  /** What is up to here was there before it. */
  began: number | undefined
  cursor: number
  /** What it has answered for good, on the first way: forwarded, dead, or given up. */
  readonly done: Set<string>
  /** How often it has answered a replay for good, by delivery. */
  readonly replaysDone: Map<string, number>
  readonly replaysAsked: Map<string, number>
  /** Replays that it refused for good: a dead letter says so, and counts as an end of the first way that had not begun. */
  readonly deadReplays: Set<string>
  /** What was released while it was known. */
  readonly released: Set<string>
  /** How often each delivery was begun. */
  readonly begun: Map<string, number>
  readonly underWay: Set<Attempt>
}

/** What was asked of the service and what came of it, with everything that is wrong about that. */
export interface History {
  readonly sent: Sent[]
  readonly sinks: Map<string, Sink>
  readonly violations: string[]
  readonly add: (delivery: NewDelivery) => Sent
  readonly byId: (id: string) => Sent | undefined
  readonly answered: (sent: Sent, appended: Appended, wall: { readonly now: number, readonly latest: number }) => void
  readonly refused: (sent: Sent) => void
  readonly unsure: (ids: readonly string[]) => void
  readonly processDied: () => void
  readonly begin: (sink: Sink, attempt: Attempt) => void
  readonly end: (sink: Sink, attempt: Attempt, outcome: Outcome | undefined) => void
}

/** How far a wall clock that steps may make the edge of a window uncertain, in milliseconds. */
const UNCERTAIN_MS = 12 * 3_600_000

export function createHistory ({ dedupeWindowMs }: { readonly dedupeWindowMs: number }): History {
  const sent: Sent[] = []
  const ids = new Map<string, Sent>()
  const sinks = new Map<string, Sink>()
  const violations: string[] = []

  function violate (what: string): void {
    violations.push(what)
  }

  function checkOrder (sink: Sink, attempt: Attempt, found: Sent): void {
    const { sequence, customerId } = attempt.delivery
    const isAhead = sink.keepsOrder === 'arrival' ? () => true : (other: Sent) => sink.keepsOrder === 'customer' && customerId !== null && other.delivery.customerId === customerId
    const passed = sent.filter((other) => other.sequence !== undefined && other.sequence < sequence && other.sequence > (sink.began ?? Infinity) &&
      other.answer !== 'refused' && !other.quarantined && !other.released && isAhead(other) && sink.wants(other.delivery) && !sink.done.has(other.delivery.id) && !sink.deadReplays.has(other.delivery.id))
    // A batch goes in its order.
    const inBatch = new Set([...sink.underWay].map(({ delivery }) => delivery.id))
    const first = passed.find((other) => sink.keepsOrder !== 'arrival' || !inBatch.has(other.delivery.id))
    if (!attempt.replay && !found.released && first !== undefined) violate(`${sink.name} got ${attempt.delivery.id} before ${first.delivery.id}, which is not finished`)
    const beside = sink.keepsOrder === 'customer' ? [...sink.underWay].find(({ delivery }) => customerId !== null && delivery.customerId === customerId) : undefined
    if (beside !== undefined) violate(`${sink.name} got ${attempt.delivery.id} while ${beside.delivery.id} of the same customer was under way`)
  }

  return {
    sent,
    sinks,
    violations,
    byId: (id) => ids.get(id),

    add (delivery) {
      const added: Sent = { delivery, answer: 'pending', sequence: undefined, quarantined: delivery.quarantined, released: false, pruned: false, unsure: false, duplicates: 0 }
      sent.push(added)
      ids.set(delivery.id, added)
      return added
    },

    answered (each, { status, id, verdict }, wall) {
      const { dedupeKey } = each.delivery
      if (status === 'stored') {
        each.answer = 'stored'
        if (id !== each.delivery.id) violate(`${each.delivery.id} was stored as ${id}`)
        const first = sent.find((other) => other !== each && dedupeKey !== null && other.delivery.dedupeKey === dedupeKey && other.answer === 'stored' &&
          sent.indexOf(other) < sent.indexOf(each) && other.delivery.receivedAt >= wall.latest - dedupeWindowMs)
        if (first !== undefined) violate(`${each.delivery.id} was stored, though it is a copy of ${first.delivery.id}`)
        return
      }
      // A copy is not kept itself.
      each.answer = 'refused'
      const first = ids.get(id)
      if (first === undefined || dedupeKey === null || first.delivery.dedupeKey !== dedupeKey) return violate(`${each.delivery.id} was answered as a duplicate of ${id}, which it is not`)
      if (first.answer === 'refused') violate(`${each.delivery.id} was answered as a duplicate of ${id}, which was refused`)
      if (first.delivery.verdict !== verdict) violate(`${each.delivery.id} was answered with the verdict ${verdict}`)
      // As long as the first is in the store, a copy of it is told however late it comes.
      if (first.pruned && first.delivery.receivedAt < wall.now - dedupeWindowMs - UNCERTAIN_MS) violate(`${each.delivery.id} was answered as a duplicate of ${id}, which is too old`)
      if (first.answer !== 'refused') first.answer = 'stored'
      first.duplicates++
    },

    refused (each) {
      // What is stored then may be in a forwarder's hands, and stays the one delivery.
      each.answer = each.unsure ? 'unanswered' : 'refused'
    },

    unsure (all) {
      for (const id of all) Object.assign(ids.get(id) ?? {}, { unsure: true })
    },

    processDied () {
      for (const each of sent) if (each.answer === 'pending') each.answer = 'unanswered'
      for (const sink of sinks.values()) sink.underWay.clear()
    },

    begin (sink, attempt) {
      const { delivery, number, replay } = attempt
      const found = ids.get(delivery.id)
      if (found === undefined) return violate(`${sink.name} got ${delivery.id}, which nobody sent`)
      found.sequence ??= delivery.sequence
      if (found.answer === 'refused') violate(`${sink.name} got ${delivery.id}, which was refused`)
      if (found.quarantined) violate(`${sink.name} got ${delivery.id}, which is in quarantine`)
      if (!sink.wants(delivery)) violate(`${sink.name} got ${delivery.id}, which it does not want`)
      if (replay && (sink.replaysAsked.get(delivery.id) ?? 0) === 0) violate(`${sink.name} got a replay of ${delivery.id} that nobody asked for`)
      const { rawBody, verdict: _verdict, faults: _faults, quarantined: _held, dedupeKey: _key, ...fields } = found.delivery
      if (!Buffer.from(rawBody).equals(delivery.rawBody)) violate(`${sink.name} got other bytes of ${delivery.id}`)
      for (const [name, value] of Object.entries(fields)) {
        if (!isDeepStrictEqual(Reflect.get(delivery, name), value)) violate(`${sink.name} got ${delivery.id} with another ${name}`)
      }
      const begun = (sink.begun.get(delivery.id) ?? 0) + 1
      sink.begun.set(delivery.id, begun)
      if (number > begun) violate(`${sink.name} got ${delivery.id} as attempt ${number}, though it is attempt ${begun}`)
      checkOrder(sink, attempt, found)
      sink.underWay.add(attempt)
    },

    end (sink, attempt, outcome) {
      sink.underWay.delete(attempt)
      if (outcome === undefined || outcome.status === 'retry') return
      const { id } = attempt.delivery
      if (!attempt.replay) sink.done.add(id)
      else {
        sink.replaysDone.set(id, (sink.replaysDone.get(id) ?? 0) + 1)
        if (outcome.status === 'dead') sink.deadReplays.add(id)
      }
    }
  }
}
