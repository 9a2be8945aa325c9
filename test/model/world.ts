import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import { captureLog } from '../support/capture-log.js'
import { seeded } from '../support/crash-rounds.js'
import { takeTime, type FakeTime } from '../support/fake-time.js'
import type { DestinationAnswer } from './controlled-forwarder.js'
import { createHistory, type History, type Sent, type Sink } from './history.js'
import { nothingStored, type Fault, type ModelEngine, type StatementFaults, type StoredRows } from './engine.js'
import { readFileLines } from './file-lines.js'
import { checkDrained, observe, type Stored } from './invariants.js'
import { closeLife, DEDUPE_WINDOW_MS, RETENTION_MS, startLife, type Life } from './life.js'
import * as person from './person.js'
import { leaveRemains } from './remains.js'
import { controlled, newSink } from './shapes.js'
import { createStall, type StallPhase } from './stall.js'

const START_AT = Date.parse('2026-01-31T00:00:00Z')

/** A whole service but for its ingress, on a real database and real files, with time, destinations and death in our hands. */
export class World {
  readonly history: History = createHistory({ dedupeWindowMs: DEDUPE_WINDOW_MS })
  readonly time: FakeTime
  readonly log = captureLog()
  readonly #engine: ModelEngine
  readonly #base: string
  readonly #random: () => number
  readonly #faults: StatementFaults
  readonly #stall = createStall()
  #life: Life | undefined
  #lives = 0
  #configured: readonly string[] = controlled
  #latestWall = START_AT
  #before: Stored = { ...nothingStored, lines: [] }
  #loggedUpTo = 0
  /** The folder as it was when the process died, where it did. */
  #remains: string | undefined

  constructor (engine: ModelEngine, base: string, seed: number) {
    this.#engine = engine
    this.#base = base
    this.#random = seeded(seed)
    this.time = takeTime(START_AT, engine.busy)
    this.#faults = engine.faults((tear) => this.#die(tear), this.time)
  }

  #living (): Life {
    if (this.#life === undefined) throw new Error('There is no process')
    return this.#life
  }

  #sinkOf (name: string): Sink {
    const sink = this.history.sinks.get(name) ?? newSink(name)
    this.history.sinks.set(name, sink)
    return sink
  }

  async start (dataDir = join(this.#base, '0')): Promise<void> {
    this.#life = startLife({
      engine: this.#engine,
      dataDir,
      configured: this.#configured,
      sinkOf: (name) => this.#sinkOf(name),
      history: this.history,
      time: this.time,
      random: this.#random,
      log: this.log,
      faults: this.#faults,
      stall: this.#stall
    })
    await this.time.settle()
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

  stall (phase: StallPhase): void {
    this.#stall.begin(phase)
  }

  heal (): void {
    this.#stall.end()
  }

  arm (fault: Fault | 'crash', points: number, tear = 1): void {
    this.#faults.arm(fault, points, tear)
  }

  endStore (): void {
    this.#living().endStore()
  }

  /** The process is killed. @param tear how much of what was written to the event file and not committed gets there */
  async crash (tear: number): Promise<void> {
    if (this.#remains === undefined) await this.#die(tear)
    await this.#bury()
  }

  /** Everything as it lies on the disk now is what the next process finds; what this one does from now on is nothing. */
  #die (tear: number): void | Promise<void> {
    const left = this.#living().kill()
    return left instanceof Promise ? left.then((stored) => { this.#leave(tear, stored) }) : this.#leave(tear, left)
  }

  #leave (tear: number, stored: StoredRows): void {
    const life = this.#living()
    const remains = join(this.#base, String(++this.#lives))
    leaveRemains(this.#engine, { dataDir: life.dataDir, remains, stored, tear })
    this.#readLog()
    life.over = true
    for (const forwarder of life.forwarders.values()) forwarder.die()
    this.history.processDied()
    this.#remains = remains
  }

  async #bury (): Promise<void> {
    const life = this.#living()
    this.heal()
    this.#faults.disarm()
    await this.time.settle()
    await closeLife(life, this)
    this.time.forgetTimers()
    this.#loggedUpTo = this.log.lines.length
    rmSync(life.dataDir, { recursive: true, force: true })
    const remains = this.#remains
    this.#remains = undefined
    await this.start(remains)
  }

  /** Stops in good order and starts again with other forwarders. */
  async restart (configured: readonly string[]): Promise<void> {
    const life = this.#living()
    await closeLife(life, this)
    this.#configured = configured
    // A disk that does not answer keeps the folder until the process ends.
    if (this.#stall.isOn() || this.#remains !== undefined) return await this.crash(1)
    this.#readLog()
    for (const { answer, delivery } of this.history.sent) if (answer === 'pending') this.history.violations.push(`${delivery.id} was not answered before the stop`)
    life.over = true
    this.history.processDied()
    this.time.forgetTimers()
    await this.start(life.dataDir)
  }

  /** Where a person is at work the journal's writer is not. */
  #place (): person.Place {
    this.#faults.writing = false
    return { engine: this.#engine, dataDir: this.#living().dataDir, now: this.time.now, stored: this.#before, history: this.history }
  }

  async replay (sent: Sent, name: string): Promise<void> {
    await person.replay(this.#place(), sent, name)
  }

  async release (sent: Sent): Promise<void> {
    await person.release(this.#place(), sent)
  }

  async forget (name: string): Promise<void> {
    if (!this.#configured.includes(name)) await person.forget(this.#place(), name)
  }

  async prune (): Promise<void> {
    await person.prune(this.#place())
  }

  /** After each command: lets everything come to rest, goes on after a death, and looks at what is on the disk. */
  async settle (): Promise<void> {
    await this.time.settle()
    if (this.#remains !== undefined) await this.#bury()
    this.#latestWall = Math.max(this.#latestWall, this.time.now())
    this.#readLog()
    const { dataDir } = this.#living()
    const stored = { ...await this.#engine.readStored(dataDir), lines: readFileLines(dataDir) }
    observe(this.history, stored, this.#before, { prunableBefore: this.#latestWall - RETENTION_MS })
    this.#before = stored
    this.#throwViolations()
  }

  /** A delivery that was retried for too long is finished too; and what is fatal is a defect. */
  #readLog (): void {
    for (const line of this.log.lines.slice(this.#loggedUpTo)) {
      if (line['level'] === 60) this.history.violations.push(`${line.msg}: ${JSON.stringify(line['err'])}`)
      if (line.msg !== 'delivery dead' || !String(line['reason']).startsWith('given up')) continue
      const sink = this.history.sinks.get(String(line['forwarder']))
      const id = String(line['deliveryId'])
      if (line['replay'] !== true) sink?.done.add(id)
      else {
        sink?.replaysDone.set(id, (sink.replaysDone.get(id) ?? 0) + 1)
        sink?.deadReplays.add(id)
      }
    }
    this.#loggedUpTo = this.log.lines.length
  }

  #throwViolations (): void {
    if (this.history.violations.length > 0) throw new Error([...new Set(this.history.violations)].join('\n'))
  }

  /** All destinations are well, all forwarders are there, and time passes until nothing is left to do. */
  async drain (): Promise<void> {
    this.#faults.disarm()
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
    if (this.#begun() !== begun) this.history.violations.push('a delivery that was settled before the stop was attempted again after it')
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
      this.#faults.disarm()
      await closeLife(life, this)
      rmSync(this.#base, { recursive: true, force: true })
    } finally {
      this.#faults.unhook()
      this.time.restore()
    }
  }
}
