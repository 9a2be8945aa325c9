import { join } from 'node:path'
import { createDispatcher, type Dispatcher } from '../../src/delivery/dispatcher.js'
import type { Forwarder } from '../../src/delivery/forwarder.js'
import type { FeedOptions } from '../../src/delivery/journal.js'
import { createLedPump } from '../../src/delivery/led-pump.js'
import { createPump, type Pump } from '../../src/delivery/pump.js'
import { createFileForwarder } from '../../src/forwarders/file/file-forwarder.js'
import type { CapturedLog } from '../support/capture-log.js'
import type { FakeTime } from '../support/fake-time.js'
import { controlledForwarder, type ControlledForwarder } from './controlled-forwarder.js'
import type { CreatedJournal, ModelEngine, StatementFaults } from './engine.js'
import { EVENT_FILE } from './file-lines.js'
import type { History, Sink } from './history.js'
import { shapes } from './shapes.js'
import type { Stall } from './stall.js'

const HOUR_MS = 3_600_000
export const RETENTION_MS = 2 * HOUR_MS
export const DEDUPE_WINDOW_MS = 24 * HOUR_MS
const RETRY = { minMs: 100, maxMs: 60_000, giveUpMs: 600_000 }

/** One process as long as it lives. */
export interface Life extends CreatedJournal {
  readonly dataDir: string
  readonly dispatcher: Dispatcher
  readonly forwarders: ReadonlyMap<string, ControlledForwarder>
  stopping: boolean
  over: boolean
}

export interface LifeOptions {
  readonly engine: ModelEngine
  readonly dataDir: string
  /** The names of the forwarders that it has beside the file. */
  readonly configured: readonly string[]
  readonly sinkOf: (name: string) => Sink
  readonly history: History
  readonly time: FakeTime
  readonly random: () => number
  readonly log: CapturedLog
  readonly faults: StatementFaults
  readonly stall: Stall
}

/** Starts a whole service but for its ingress. That it does not start, though nothing stops it, breaks a promise. */
export function startLife (options: LifeOptions): Life {
  const { dataDir, configured, sinkOf, history, time, random, log: { logger } } = options
  const created = options.engine.create({ ...options, dedupeWindowMs: DEDUPE_WINDOW_MS, retentionMs: RETENTION_MS, onUnsure: history.unsure })
  const { journal } = created
  const forwarders = new Map<string, ControlledForwarder>()
  const pumps = [...configured, 'file'].map((name) => {
    const shape = shapes[name]
    const sink = sinkOf(name)
    const mine = shape === undefined ? undefined : controlledForwarder(shape, sink, history)
    if (mine !== undefined) forwarders.set(name, mine)
    const file = { name, path: join(dataDir, EVENT_FILE), rotateBytes: 1500, keepDays: 0, now: time.now, logger }
    const create = (onLost?: FeedOptions['onLost']): Pump => createPump({
      forwarder: mine?.forwarder ?? untilDeath(createFileForwarder(file), () => life.over),
      journal,
      start: shape?.start ?? 'beginning',
      accepts: sink.wants,
      retry: RETRY,
      breakerThreshold: 5,
      clock: time,
      random,
      logger,
      onLost
    })
    return options.engine.leases ? createLedPump({ name, create: async (onLost) => create(onLost), logger, onState: () => {} }) : create()
  })
  const dispatcher = createDispatcher(pumps)
  const life: Life = { ...created, dataDir, dispatcher, forwarders, stopping: false, over: false }
  journal.start().then(async () => { await dispatcher.start() }).catch((error: unknown) => {
    if (!life.stopping) history.violations.push(`the service did not start: ${String(error)}`)
  })
  return life
}

/** A forwarder that does nothing more once its process has died. */
function untilDeath (forwarder: Forwarder, isOver: () => boolean): Forwarder {
  return { ...forwarder, forward: async (...call) => isOver() ? await new Promise(() => {}) : await forwarder.forward(...call) }
}

/** Stops it in good order, however long that takes by the fake time. */
export async function closeLife (life: Life, { history, time }: Pick<LifeOptions, 'history' | 'time'>): Promise<void> {
  const { dispatcher, journal } = life
  life.stopping = true
  let closed = false
  dispatcher.close(100).then(async () => { await journal.close() }).then(() => { closed = true }, (error: unknown) => {
    history.violations.push(`closing failed: ${String(error)}`)
    closed = true
  })
  await time.settle()
  for (let round = 0; !closed && round < 100; round++) await time.advance(200)
  if (!closed) history.violations.push('closing never ended')
}
