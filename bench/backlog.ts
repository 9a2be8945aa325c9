import { v7 as uuidv7 } from 'uuid'
import { keepObjectsYoung } from '../src/composition/young-objects.js'
import { systemClock } from '../src/delivery/clock.js'
import type { Delivery } from '../src/delivery/delivery.js'
import type { Forwarder } from '../src/delivery/forwarder.js'
import type { Journal } from '../src/delivery/journal.js'
import { createPump } from '../src/delivery/pump.js'
import { createEvents } from './bodies.js'
import { logger, openJournal, type JournalPlace } from './journal.js'
import type { Run } from './measure.js'

export const SIGNATURE = 'ab'.repeat(32)
/** The number of appends at once, well below the limit of the journal's queue. */
const APPENDS = 1000

const eventAt = createEvents(new Date())

/** Returns the delivery with this number, from 0. */
export function deliveryAt (number: number): Delivery {
  const { eventType, customerId, body } = eventAt(number)
  const id = uuidv7()
  return {
    id,
    receivedAt: Date.now(),
    eventType,
    verdict: 'valid',
    faults: [],
    quarantined: false,
    dedupeKey: `send-out:${id}`,
    sourceObject: 'distribution',
    sourceId: 'distr_1',
    eventId: `ev_${number}`,
    projectId: 'proj_1',
    customerId,
    campaignId: 'camp_1',
    headers: { 'content-type': 'application/json', 'x-voucherify-signature': SIGNATURE, 'user-agent': 'sender' },
    rawBody: body,
    sequence: number + 1,
    duplicates: 0
  }
}

/** A journal with deliveries for forwarders that it does not know yet. */
export interface Backlog {
  /** Lets a forwarder take this many deliveries, or all that there are, with the pump of the service. */
  readonly drainTo: (forwarder: Forwarder, events: number) => Promise<Run>
}

/** @param forwarders the names of the forwarders that the backlog will be drained to */
export function createBacklog (place: JournalPlace, forwarders: readonly string[] = []): Backlog {
  // As in the program itself.
  keepObjectsYoung()
  let opened: Promise<Journal> | undefined
  let length = 0

  async function holdAtLeast (journal: Journal, events: number): Promise<void> {
    for (; length < events; length += APPENDS) {
      await Promise.all(Array.from({ length: APPENDS }, async (_each, index) => await journal.append(deliveryAt(length + index))))
    }
  }

  return {
    async drainTo (forwarder, events) {
      const journal = await (opened ??= openJournal(place, forwarders))
      await holdAtLeast(journal, events)
      let forwarded = 0
      const pump = createPump({
        forwarder,
        journal,
        start: 'beginning',
        accepts: () => true,
        retry: { minMs: 1000, maxMs: 1000, giveUpMs: 1000 },
        breakerThreshold: 5,
        clock: systemClock,
        random: Math.random,
        logger,
        onAttempts: ({ counts }) => { forwarded += counts.forwarded }
      })
      const run = await timed(length, async () => {
        await pump.start()
        await pump.idle()
      })
      await pump.close(new AbortController().signal)
      if (forwarded !== length) throw new Error(`${forwarded} of ${length} were forwarded`)
      return run
    }
  }
}

export async function timed (events: number, work: () => Promise<void>): Promise<Run> {
  const cpu = process.cpuUsage()
  const before = performance.now()
  await work()
  const ms = performance.now() - before
  const { user, system } = process.cpuUsage(cpu)
  return { events, ms, cpuMs: (user + system) / 1000, peakBytes: process.resourceUsage().maxRSS * 1024 }
}
