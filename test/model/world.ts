import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import { createDispatcher, type Dispatcher } from '../../src/delivery/dispatcher.js'
import type { Forwarder } from '../../src/delivery/forwarder.js'
import { createPump } from '../../src/delivery/pump.js'
import { createFileForwarder } from '../../src/forwarders/file/file-forwarder.js'
import { openSqliteOperator } from '../../src/journal/sqlite/operator.js'
import { createSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite/sqlite-journal.js'
import type { Operator } from '../../src/delivery/operator.js'
import { captureLog } from '../support/capture-log.js'
import { seeded } from '../support/crash-rounds.js'
import { isUsingFiles, takeTime, type FakeTime } from '../support/fake-time.js'
import { latch } from '../support/latch.js'
import { localThreads, type LocalThreads } from '../support/local-threads.js'
import { hookStatements } from '../support/statement-hook.js'
import { controlledForwarder, type ControlledForwarder, type DestinationAnswer, type Shape } from './controlled-forwarder.js'
import { EVENT_FILE } from './file-lines.js'
import { createHistory, type History, type Sent, type Sink } from './history.js'
import { checkDrained, observe, readStored, type Stored } from './invariants.js'
import { setImmediate as turn } from 'node:timers/promises'

const HOUR_MS = 3_600_000
const RETENTION_MS = 2 * HOUR_MS
const DEDUPE_WINDOW_MS = 24 * HOUR_MS
const RETRY = { minMs: 100, maxMs: 60_000, giveUpMs: 600_000 }
const START_AT = Date.parse('2026-01-31T00:00:00Z')

/** The forwarders whose destinations are in our hands; beside them there is always the real file forwarder. */
export const shapes: Readonly<Record<string, Shape & { readonly start: 'now' | 'beginning' }>> = {
  lanes: { name: 'lanes', order: 'customer', concurrency: 3, batchSize: 1, start: 'now' },
  batch: { name: 'batch', order: 'arrival', concurrency: 1, batchSize: 3, start: 'now' },
  free: { name: 'free', order: 'none', concurrency: 2, batchSize: 2, start: 'beginning' }
}
export const controlled = Object.keys(shapes)
export const eventTypes = ['customer.loyalty.tier.upgraded', 'customer.loyalty.tier.left'] as const

/** `lost`: the commit is on disk, and the answer says that it failed. */
export const faults = ['full', 'io error', 'lost'] as const
export type Fault = typeof faults[number]

/** One process as long as it lives. */
interface Life {
  readonly dataDir: string
  readonly journal: SqliteJournal
  readonly dispatcher: Dispatcher
  readonly threads: LocalThreads
  readonly forwarders: ReadonlyMap<string, ControlledForwarder>
  stopping: boolean
  over: boolean
}

/** A whole service but for its ingress, on a real database and real files, with time, destinations and death in our hands. */
export class World {
  readonly history: History = createHistory({ dedupeWindowMs: DEDUPE_WINDOW_MS })
  readonly time: FakeTime
  readonly log = captureLog()
  readonly #base: string
  readonly #random: () => number
  readonly #unhook: () => void
  #life: Life | undefined
  #lives = 0
  #configured: readonly string[] = controlled
  #latestWall = START_AT
  #before: Stored = { lastSequence: 0, deliveries: [], forwarders: [], waiting: [], dead: [], lines: [] }
  #stall: { readonly phase: 'before' | 'after', readonly open: () => void, readonly opened: Promise<void> } | undefined
  #armed: { points: number, readonly fault: Fault | 'crash', readonly tear: number } | undefined
  #writing = false
  /** The folder as it was when the process died, where it did. */
  #remains: string | undefined

  constructor (base: string, seed: number) {
    this.#base = base
    this.#random = seeded(seed)
    this.time = takeTime(START_AT)
    this.#unhook = hookStatements((moment, sql, db) => {
      if (!this.#writing || this.#armed === undefined || --this.#armed.points > 0) return
      const { fault, tear } = this.#armed
      // What SQLite does not do: fail to take back; nor has a statement an effect that fails, but for a commit.
      if (fault !== 'crash' && sql.startsWith('ROLLBACK')) return
      if (fault !== 'crash' && (moment === 'after') !== (fault === 'lost')) return
      if (fault === 'lost' && sql !== 'COMMIT') return
      this.#armed = undefined
      if (fault === 'crash') return this.#die(tear)
      // As SQLite does where there is no room left.
      if (fault === 'full' && db?.inTransaction === true) db.exec('ROLLBACK')
      throw Object.assign(new Error(`${fault} ${moment} ${sql.slice(0, 20)}`), { code: fault === 'full' ? 'SQLITE_FULL' : 'SQLITE_IOERR_WRITE' })
    })
  }

  get configured (): readonly string[] {
    return this.#configured
  }

  get isStalled (): boolean {
    return this.#stall !== undefined
  }

  #living (): Life {
    if (this.#life === undefined) throw new Error('There is no process')
    return this.#life
  }

  #sinkOf (name: string, shape: Shape | undefined): Sink {
    const known = this.history.sinks.get(name)
    if (known !== undefined) return known
    const sink: Sink = {
      name,
      keepsOrder: shape?.order ?? 'arrival',
      wants: name === 'free' ? ({ eventType }) => eventType !== eventTypes[1] : () => true,
      began: undefined,
      cursor: 0,
      done: new Set(),
      replaysDone: new Map(),
      replaysAsked: new Map(),
      released: new Set(),
      begun: new Map(),
      underWay: new Set()
    }
    this.history.sinks.set(name, sink)
    return sink
  }

  async start (dataDir = join(this.#base, '0')): Promise<void> {
    const threads = localThreads(this.time.now)
    threads.beforeWrite = async (method) => {
      // What the disk has to do for the event file is done first, so that a run goes the same way each time.
      while (isUsingFiles()) await turn()
      if (method === 'commit' && this.#stall?.phase === 'before') await this.#stall.opened
      this.#writing = true
    }
    // After a call that failed nobody says that it is over.
    threads.beforeRead = async () => { this.#writing = false }
    threads.afterWrite = async (method) => {
      this.#writing = false
      if (method === 'commit' && this.#stall?.phase === 'after') await this.#stall.opened
    }
    const { logger } = this.log
    const journal = createSqliteJournal({
      dataDir, logger, clock: this.time, dedupeWindowMs: DEDUPE_WINDOW_MS, retention: { maxAgeMs: RETENTION_MS, maxBytes: 0 }, threads
    })
    const forwarders = new Map<string, ControlledForwarder>()
    const pumps = [...this.#configured, 'file'].map((name) => {
      const shape = shapes[name]
      const sink = this.#sinkOf(name, shape)
      const mine = shape === undefined ? undefined : controlledForwarder(shape, sink, this.history)
      if (mine !== undefined) forwarders.set(name, mine)
      const file = { name, path: join(dataDir, EVENT_FILE), rotateBytes: 1500, keepDays: 0, now: this.time.now, logger }
      return createPump({
        forwarder: mine?.forwarder ?? this.#untilDeath(createFileForwarder(file), () => life.over),
        journal,
        start: shape?.start ?? 'beginning',
        accepts: sink.wants,
        retry: RETRY,
        breakerThreshold: 5,
        clock: this.time,
        random: this.#random,
        logger
      })
    })
    const dispatcher = createDispatcher(pumps)
    const life: Life = { dataDir, journal, dispatcher, threads, forwarders, stopping: false, over: false }
    this.#life = life
    journal.start().then(async () => { await dispatcher.start() }).catch((error: unknown) => {
      if (!life.stopping) this.history.violations.push(`the service did not start: ${String(error)}`)
    })
    await this.time.settle()
  }

  /** A forwarder that does nothing more once its process has died. */
  #untilDeath (forwarder: Forwarder, isOver: () => boolean): Forwarder {
    return { ...forwarder, forward: async (...call) => isOver() ? await new Promise(() => {}) : await forwarder.forward(...call) }
  }

  /** Sends a webhook; the answer is taken note of when it comes. */
  send (delivery: NewDelivery): void {
    const life = this.#living()
    const sent = this.history.add(delivery)
    life.journal.append(delivery).then((appended) => {
      if (!life.over) this.history.answered(sent, appended, { now: this.time.now(), latest: this.#latestWall })
    }, () => {
      if (!life.over) this.history.refused(sent)
    })
  }

  answer (name: string, answer: DestinationAnswer): void {
    this.#living().forwarders.get(name)?.answer(answer)
  }

  stall (phase: 'before' | 'after'): void {
    this.#stall ??= { phase, ...latch() }
  }

  heal (): void {
    this.#stall?.open()
    this.#stall = undefined
  }

  arm (fault: Fault | 'crash', points: number, tear = 1): void {
    this.#armed = { fault, points, tear }
  }

  endThread (side: 'writer' | 'reader'): void {
    const { threads } = this.#living()
    if (side === 'writer') threads.endWriter()
    else threads.endReader()
  }

  /** The process is killed. @param tear how much of what was written to the event file and not committed gets there */
  async crash (tear: number): Promise<void> {
    if (this.#remains === undefined) this.#die(tear)
    await this.#bury()
  }

  /** Everything as it lies on the disk now is what the next process finds; what this one does from now on is nothing. */
  #die (tear: number): void {
    const life = this.#living()
    const remains = join(this.#base, String(++this.#lives))
    mkdirSync(remains, { recursive: true })
    // The database first: what is copied later may only be further on, as the event file always is.
    const names = existsSync(life.dataDir) ? readdirSync(life.dataDir).sort((a, b) => Number(b.startsWith('tierhook.db')) - Number(a.startsWith('tierhook.db'))) : []
    for (const name of names) {
      // The event files must stay the files that they are: they are known by their inodes too. Nothing writes to them from now on.
      const keep = name.startsWith(EVENT_FILE) && !name.includes('beginning') ? linkSync : copyFileSync
      keep(join(life.dataDir, name), join(remains, name))
    }
    tearEventFile(remains, tear, readStored(life.dataDir))
    this.#readLog()
    life.over = true
    for (const forwarder of life.forwarders.values()) forwarder.die()
    this.history.processDied()
    this.#remains = remains
  }

  async #bury (): Promise<void> {
    const life = this.#living()
    this.heal()
    this.#armed = undefined
    await this.time.settle()
    await this.#close(life)
    this.time.forgetTimers()
    this.#loggedUpTo = this.log.lines.length
    rmSync(life.dataDir, { recursive: true, force: true })
    const remains = this.#remains
    this.#remains = undefined
    await this.start(remains)
  }

  async #close (life: Life): Promise<void> {
    const { dispatcher, journal } = life
    life.stopping = true
    let closed = false
    dispatcher.close(100).then(async () => { await journal.close() }).then(() => { closed = true }, (error: unknown) => {
      this.history.violations.push(`closing failed: ${String(error)}`)
      closed = true
    })
    await this.time.settle()
    for (let round = 0; !closed && round < 100; round++) await this.time.advance(200)
    if (!closed) this.history.violations.push('closing never ended')
  }

  /** Stops in good order and starts again with other forwarders. */
  async restart (configured: readonly string[]): Promise<void> {
    const life = this.#living()
    await this.#close(life)
    this.#configured = configured
    // A disk that does not answer keeps the folder until the process ends.
    if (this.#stall !== undefined || this.#remains !== undefined) return await this.crash(1)
    this.#readLog()
    for (const { answer, delivery } of this.history.sent) if (answer === 'pending') this.history.violations.push(`${delivery.id} was not answered before the stop`)
    life.over = true
    this.history.processDied()
    this.time.forgetTimers()
    await this.start(life.dataDir)
  }

  async withOperator<T> (work: (operator: Operator) => Promise<T>): Promise<T | undefined> {
    const { dataDir } = this.#living()
    // Where nothing could be opened yet there is nothing to work on.
    if (this.#before.forwarders.length === 0) return undefined
    this.#writing = false
    const operator = openSqliteOperator({ dataDir, judge: () => ({ verdict: 'valid', faults: [] }), now: this.time.now })
    try {
      return await work(operator)
    } finally {
      await operator.close()
    }
  }

  async replay (sent: Sent, name: string): Promise<void> {
    const { sequence, delivery } = sent
    const sink = this.history.sinks.get(name)
    if (sequence === undefined || sink === undefined || !this.#before.forwarders.some((row) => row.name === name)) return
    const replayed = await this.withOperator(async (operator) => await operator.replay({ sequences: [sequence], forwarders: [name], finishedOnly: false, description: 'model', dryRun: false }))
    if (replayed?.replays === 1 && sink.wants(delivery)) sink.replaysAsked.set(delivery.id, (sink.replaysAsked.get(delivery.id) ?? 0) + 1)
  }

  async release (sent: Sent): Promise<void> {
    const { sequence, delivery } = sent
    if (sequence === undefined) return
    const results = await this.withOperator(async (operator) => await operator.release({ sequences: [sequence], force: true }))
    if (results?.[0]?.status !== 'released') return
    sent.held = false
    sent.released = true
    for (const sink of this.history.sinks.values()) if (sink.began !== undefined) sink.released.add(delivery.id)
  }

  async forget (name: string): Promise<void> {
    if (this.#configured.includes(name)) return
    await this.withOperator(async (operator) => {
      while (!(await operator.forget({ forwarder: name, limit: 2 })).done);
    })
    this.history.sinks.delete(name)
  }

  async prune (): Promise<void> {
    const receivedBefore = this.time.now() - RETENTION_MS
    await this.withOperator(async (operator) => {
      for (let after: number | undefined = 0; after !== undefined;) {
        after = (await operator.prune({ receivedBefore, maxBytes: 0, keysBefore: this.time.now() - DEDUPE_WINDOW_MS, after, limit: 3 })).next
      }
    })
  }

  /** After each command: lets everything come to rest, goes on after a death, and looks at what is on the disk. */
  async settle (): Promise<void> {
    await this.time.settle()
    if (this.#remains !== undefined) await this.#bury()
    this.#latestWall = Math.max(this.#latestWall, this.time.now())
    this.#readLog()
    const stored = readStored(this.#living().dataDir)
    observe(this.history, stored, this.#before, { prunableBefore: this.#latestWall - RETENTION_MS })
    this.#before = stored
    this.#throwViolations()
  }

  #loggedUpTo = 0

  /** A delivery that was retried for too long is finished too; and what is fatal is a defect. */
  #readLog (): void {
    for (const line of this.log.lines.slice(this.#loggedUpTo)) {
      if (line['level'] === 60) this.history.violations.push(`${line.msg}: ${JSON.stringify(line['err'])}`)
      if (line.msg !== 'delivery dead' || !String(line['reason']).startsWith('given up')) continue
      const sink = this.history.sinks.get(String(line['forwarder']))
      const id = String(line['deliveryId'])
      if (line['replay'] === true) sink?.replaysDone.set(id, (sink.replaysDone.get(id) ?? 0) + 1)
      else sink?.done.add(id)
    }
    this.#loggedUpTo = this.log.lines.length
  }

  #throwViolations (): void {
    if (this.history.violations.length > 0) throw new Error([...new Set(this.history.violations)].join('\n'))
  }

  /** All destinations are well, all forwarders are there, and time passes until nothing is left to do. */
  async drain (): Promise<void> {
    this.#armed = undefined
    this.heal()
    await this.settle()
    await this.restart(controlled)
    await this.settle()
    for (const forwarder of this.#living().forwarders.values()) forwarder.heal()
    for (let round = 0; round < 60 && !this.#isDrained(); round++) {
      await this.time.advance(90_000)
      await this.settle()
    }
    checkDrained(this.history, this.#before, this.#living().dataDir)
    this.#throwViolations()
    const begun = this.#begun()
    await this.restart(controlled)
    await this.time.advance(2000)
    await this.settle()
    if (this.#begun() !== begun) this.history.violations.push('what was settled before a stop was attempted again after it')
    checkDrained(this.history, this.#before, this.#living().dataDir)
    this.#throwViolations()
  }

  #begun (): number {
    return [...this.history.sinks.values()].flatMap(({ begun }) => [...begun.values()]).reduce((sum, count) => sum + count, 0)
  }

  #isDrained (): boolean {
    const { waiting, forwarders, lastSequence } = this.#before
    return waiting.length === 0 && forwarders.length > controlled.length && forwarders.every(({ cursor }) => cursor >= lastSequence) &&
      this.history.sent.every(({ answer }) => answer !== 'pending') && !existsSync(join(this.#living().dataDir, 'withdrawn'))
  }

  async close (): Promise<void> {
    try {
      const life = this.#life
      if (life === undefined) return
      life.over = true
      this.heal()
      this.#armed = undefined
      await this.#close(life)
      rmSync(this.#base, { recursive: true, force: true })
    } finally {
      this.#unhook()
      this.time.restore()
    }
  }
}

/** Cuts off some of what stands in the event file behind what is committed, as a kill in the middle of a write leaves it. */
function tearEventFile (dataDir: string, tear: number, { forwarders }: Stored): void {
  const path = join(dataDir, EVENT_FILE)
  if (tear >= 1 || !existsSync(path)) return
  const position = forwarders.find(({ name }) => name === 'file')?.position ?? null
  const committed: { bytes: number, beginning: string } | undefined = position === null ? undefined : JSON.parse(position)
  const beginning: { bytes: number, id: string } | undefined = existsSync(`${path}.beginning`) ? JSON.parse(readFileSync(`${path}.beginning`, 'utf8')) : undefined
  const { size } = statSync(path)
  const from = committed !== undefined && (beginning === undefined || committed.beginning === beginning.id) ? committed.bytes : beginning?.bytes ?? size
  if (size > from) truncateSync(path, from + Math.floor(tear * (size - from)))
}
