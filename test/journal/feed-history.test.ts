import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Claim } from '../../src/delivery/journal.js'
import type { Order } from '../../src/delivery/forwarder.js'
import { createFeed, type JournalFeed } from '../../src/journal/feed.js'
import type { FeedLimits } from '../../src/journal/limits.js'
import { seeded } from '../support/crash-rounds.js'
import { takeTime, type FakeTime } from '../support/fake-time.js'
import { createMemoryStore, type MemoryStore } from '../support/memory-store.js'

/** Number of runs in the suite for each order. Some thousands take minutes: TIERHOOK_FEED_RUNS=2000. */
const RUNS = 100
const STEPS = 160
const CONCURRENCY = 4
/** Limits so small that each one is reached often. */
const SMALL: FeedLimits = {
  windowEntries: { arrival: 8, customer: 8, none: 8 }, windowBytes: 1_000_000, queued: { first: 4, replay: 3 }, page: 2, lanes: 2, lanePage: 2, parting: 6
}

/** The known state of one delivery, or of one replay of it. */
interface Way {
  readonly key: string
  readonly sequence: number
  readonly replay: boolean
  readonly lane: string | null
  attempt: number
  dueAt: number
  claimed: boolean
  finished: boolean
  /** Whether the delivery was finished once. A kill may bring it back. */
  done: boolean
}

/** One forwarder on an engine in memory, which checks every promise. */
class History {
  readonly violations: string[] = []
  readonly store: MemoryStore
  readonly #ways = new Map<string, Way>()
  readonly #claims: Claim[] = []
  readonly #order: Order
  readonly #time: FakeTime
  readonly #random: () => number
  #feed: JournalFeed
  #claiming = false
  #life = 0
  #replays = 0

  constructor (order: Order, time: FakeTime, random: () => number) {
    this.#order = order
    this.#time = time
    this.#random = random
    this.store = createMemoryStore(time.monotonic, random)
    this.#feed = this.#open()
  }

  #open (): JournalFeed {
    return createFeed({ forwarder: 'f', order: this.#order, start: 'beginning', onWork: () => {} }, this.store.progress(), this.store, SMALL)
  }

  #below (bound: number): number {
    return Math.floor(this.#random() * bound)
  }

  append (): void {
    const lane = this.#below(5) === 0 ? null : `c${this.#below(4)}`
    const { sequence } = this.store.append(lane)
    this.#add({ key: `0 ${sequence}`, sequence, replay: false, lane })
    this.#feed.wake()
  }

  /** Asks for a replay of a delivery that is also finished on disk, because a kill would bring back any other one, too. */
  askForReplay (): void {
    const { cursor } = this.store.progress()
    const finished = [...this.#ways.values()].filter(({ finished, replay, sequence }) => finished && !replay && sequence <= cursor && !this.store.marks.has(`0 ${sequence}`))
    const way = finished[this.#below(finished.length)]
    if (way === undefined) return
    const key = `r ${way.sequence}`
    const before = this.#ways.get(key)
    // After a kill, a finished delivery that is not stored yet would be there beside it.
    if (before?.finished === false || [...this.store.marks.values()].some(({ sequence, replay }) => replay > 0 && sequence === way.sequence)) return
    this.store.replay(++this.#replays, way.sequence)
    this.#add({ key, sequence: way.sequence, replay: true, lane: way.lane })
    if (this.#below(4) > 0) this.#feed.wakeReplays()
  }

  #add (way: Pick<Way, 'key' | 'sequence' | 'replay' | 'lane'>): void {
    this.#ways.set(way.key, { ...way, attempt: 1, dueAt: 0, claimed: false, finished: false, done: false })
  }

  claim (): void {
    const free = CONCURRENCY - this.#claims.length
    if (this.#claiming || free <= 0) return
    this.#claiming = true
    const life = this.#life
    const note = (claims: readonly Claim[]): void => {
      if (life !== this.#life) return
      this.#claiming = false
      if (claims.length > free) this.violations.push(`${claims.length} deliveries were claimed, but only ${free} requested`)
      for (const claim of claims) this.#begin(claim)
    }
    const found = this.#feed.claim(free)
    if (!(found instanceof Promise)) note(found.claims)
    else found.then(({ claims }) => { note(claims) }, () => { note([]) })
  }

  #begin (claim: Claim): void {
    const { delivery: { sequence, customerId }, replay, attempt } = claim
    const way = this.#ways.get(`${replay ? 'r' : '0'} ${sequence}`)
    const what = `${replay ? 'the replay of ' : ''}${sequence}`
    if (way === undefined) {
      this.violations.push(`${what} was claimed but does not exist`)
      return
    }
    if (way.finished) this.violations.push(`${what} is handed out although it is finished`)
    if (way.claimed) this.violations.push(`${what} is handed out twice`)
    if (way.attempt !== attempt) this.violations.push(`${what} has attempt ${attempt} instead of ${way.attempt}`)
    // In order of arrival, deliveries that failed together are retried together.
    if (this.#order !== 'arrival' && way.dueAt > this.#time.monotonic()) this.violations.push(`${what} is handed out ${way.dueAt - this.#time.monotonic()} ms too early`)
    if (this.#order === 'customer' && customerId !== null) {
      const others = [...this.#ways.values()].filter((other) => other !== way && other.lane === customerId)
      const beside = others.find(({ claimed }) => claimed)
      if (beside !== undefined) this.violations.push(`${what} is handed out while ${beside.key} of the same lane is not settled`)
      const passed = others.find((other) => !other.done && !other.replay && other.sequence < sequence)
      if (!replay && passed !== undefined) this.violations.push(`${what} is handed out before ${passed.key} of the same lane`)
    }
    way.claimed = true
    this.#claims.push(claim)
  }

  settle (): void {
    const [claim] = this.#claims.splice(this.#below(this.#claims.length), 1)
    if (claim === undefined) return
    const way = this.#ways.get(`${claim.replay ? 'r' : '0'} ${claim.delivery.sequence}`)
    if (way === undefined) return
    way.claimed = false
    const kind = this.#below(10)
    const delayMs = [0, 5, 300, 1500, 20_000][this.#below(5)] ?? 0
    if (kind < 4) {
      way.attempt++
      way.dueAt = this.#time.monotonic() + delayMs
      this.#feed.settle([{ claim, result: { status: 'retry', reason: 'down', delayMs } }]).catch(() => undefined)
    } else {
      way.finished = kind < 9
      way.done ||= way.finished
      const status = kind < 7 ? 'forwarded' : kind < 8 ? 'skipped' : 'returned'
      this.#feed.settle([{ claim, result: kind === 8 ? { status: 'dead', reason: 'no' } : { status } }]).catch(() => undefined)
    }
  }

  /** Only the content of the disk is left. No unfinished delivery may be missing from it. */
  crash (): void {
    this.#life++
    this.#claiming = false
    this.#claims.splice(0)
    this.store.crash()
    this.#feed.close().catch(() => undefined)
    this.#time.forgetTimers()
    for (const way of this.#ways.values()) {
      way.claimed = false
      const marks = [...this.store.marks.values()].filter(({ sequence, replay }) => sequence === way.sequence && (replay > 0) === way.replay)
      const [mark] = marks
      const isLeft = mark !== undefined || (!way.replay && way.sequence > this.store.progress().cursor && !this.store.dead.has(way.sequence))
      if (!way.finished && !isLeft) this.violations.push(`${way.key} is neither finished nor on the disk`)
      // Settlements that were not stored are repeated.
      way.finished = !isLeft
      way.attempt = mark?.attempt ?? 1
      way.dueAt = mark?.dueAt ?? 0
    }
    this.#feed = this.#open()
  }

  answer (): void {
    if (this.store.pending() > 0) this.store.answer(this.#below(100), this.#below(8) === 0)
  }

  async step (): Promise<void> {
    const steps = [() => { this.append() }, () => { this.append() }, () => { this.claim() }, () => { this.claim() }, () => { this.claim() }, () => { this.settle() }, () => { this.settle() },
      () => { this.answer() }, () => { this.answer() }, () => { this.answer() }, () => { this.askForReplay() }]
    const chosen = this.#below(60)
    if (chosen === 0) this.crash()
    else if (chosen < 8) await this.#time.advance([5, 100, 600, 2000, 30_000][this.#below(5)] ?? 5)
    else steps[chosen % steps.length]?.()
    await turn()
  }

  /** From now on nothing fails, until all work is done. */
  async drain (): Promise<void> {
    this.#feed.wakeReplays()
    for (let round = 0; round < 3000 && this.#unfinished().length > 0; round++) {
      while (this.store.pending() > 0) {
        this.store.answer(0, false)
        await turn()
      }
      this.claim()
      await turn()
      for (const claim of this.#claims.splice(0)) {
        const way = this.#ways.get(`${claim.replay ? 'r' : '0'} ${claim.delivery.sequence}`)
        if (way !== undefined) Object.assign(way, { claimed: false, finished: true, done: true })
        this.#feed.settle([{ claim, result: { status: 'forwarded' } }]).catch(() => undefined)
      }
      if (this.store.pending() === 0) await this.#time.advance(500)
    }
    for (; this.store.pending() > 0; await turn()) this.store.answer(0, false)
    for (const { key } of this.#unfinished()) this.violations.push(`${key} was never finished`)
    for (const key of this.store.marks.keys()) this.violations.push(`the mark ${key} was never removed`)
    if (this.store.progress().cursor < this.store.deliveries.length) this.violations.push(`the cursor is at ${this.store.progress().cursor} and not at ${this.store.deliveries.length}`)
    await this.#feed.close()
  }

  #unfinished (): Way[] {
    return [...this.#ways.values()].filter(({ finished }) => !finished)
  }
}

async function goThrough (order: Order, seed: number, time: FakeTime): Promise<History> {
  const history = new History(order, time, seeded(seed))
  for (let step = 0; step < STEPS && history.violations.length === 0; step++) await history.step()
  if (history.violations.length === 0) await history.drain()
  return history
}

for (const order of ['customer', 'none', 'arrival'] as const) {
  t.test(`order ${order}, an engine that answers late, out of order or not at all, and kills: no delivery is lost, skipped or handed out twice, in bounded memory`, async (t) => {
    const first = Number(process.env['TIERHOOK_FEED_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
    const runs = Number(process.env['TIERHOOK_FEED_RUNS'] ?? RUNS)
    t.comment(`seeds from ${first}: run with TIERHOOK_FEED_SEED=<seed> TIERHOOK_FEED_RUNS=1 to repeat one`)
    const time = takeTime(0)
    t.teardown(() => { time.restore() })
    for (let run = 0; run < runs; run++) {
      const { violations, store } = await goThrough(order, first + run, time)
      // Deliveries that are queued, under way, being stored, or behind others in as many lanes.
      if (store.mostAsked() > 60) violations.push(`${store.mostAsked()} marks were requested at once`)
      if (violations.length > 0) {
        t.fail(`seed ${first + run}: ${violations.slice(0, 5).join('; ')}`)
        return
      }
      time.forgetTimers()
    }
    t.pass(`${runs} runs`)
  })
}
