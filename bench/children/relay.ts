import { join } from 'node:path'
import { pino } from 'pino'
import { Pool } from 'undici'
import { v7 as uuidv7 } from 'uuid'
import { systemClock } from '../../src/delivery/clock.js'
import type { Delivery } from '../../src/delivery/delivery.js'
import type { Forwarder } from '../../src/delivery/forwarder.js'
import { createPump } from '../../src/delivery/pump.js'
import { createHttpForwarder } from '../../src/forwarders/http/http-forwarder.js'
import { createSqliteJournal, type SqliteJournal } from '../../src/journal/sqlite/sqlite-journal.js'
import { createEvents } from '../bodies.js'
import { serveParent } from '../child.js'
import type { Run } from '../measure.js'

export type RelayMode = 'few headers' | 'same headers' | 'forwarder' | 'pump'

export interface RelayOptions {
  readonly mode: RelayMode
  readonly url: string
  readonly connections: number
  /** An empty folder for the journal. */
  readonly dataDir: string
}

const TIMEOUT_MS = 15_000
const DAY_MS = 86_400_000
const SIGNATURE = 'ab'.repeat(32)
/** As many as wait together in the queue of the journal. */
const APPENDS = 1000

type Loop = (deliveries: readonly Delivery[]) => Promise<void>

const logger = pino({ level: 'info', base: null }, { write: () => {} })
const eventAt = createEvents(new Date())
const deliveries: Delivery[] = []
let loop: Loop | undefined

function deliveryAt (number: number): Delivery {
  const { eventType, customerId, body } = eventAt(number)
  const id = uuidv7()
  return {
    id,
    receivedAt: Date.now(),
    eventType,
    verdict: 'valid',
    faults: [],
    held: false,
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

/** As many at once as there are connections, each taking the next when it has its answer. */
async function eachAtOnce (connections: number, list: readonly Delivery[], send: (delivery: Delivery) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: connections }, async () => {
    for (let delivery = list[next++]; delivery !== undefined; delivery = list[next++]) await send(delivery)
  }))
}

/** What anybody would write who only wanted the bytes to get there. */
function plainLoop ({ url, connections }: RelayOptions, headersOf: (delivery: Delivery) => Record<string, string>): Loop {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections, headersTimeout: TIMEOUT_MS, bodyTimeout: 5000 })
  return async (list) => {
    await eachAtOnce(connections, list, async (delivery) => {
      const { statusCode, body } = await pool.request({ path: pathname, method: 'POST', headers: headersOf(delivery), body: delivery.rawBody })
      await body.dump()
      if (statusCode !== 204) throw new Error(`status ${statusCode}`)
    })
  }
}

function sameHeaders (delivery: Delivery): Record<string, string> {
  return {
    'user-agent': 'tierhook/0.0.0',
    'content-type': 'application/json',
    'x-voucherify-signature': SIGNATURE,
    'webhook-id': delivery.id,
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'tierhook-event-type': delivery.eventType,
    'tierhook-verdict': delivery.verdict,
    'tierhook-attempt': '1'
  }
}

function forwarderNamed (name: string, { url, connections }: RelayOptions): Forwarder {
  return createHttpForwarder({
    name,
    url,
    format: 'voucherify',
    order: 'customer',
    concurrency: connections,
    timeoutMs: TIMEOUT_MS,
    retryAfterMaxMs: 300_000,
    secrets: [],
    headers: [],
    permanentStatus: [410],
    version: '0.0.0',
    environment: {},
    now: Date.now
  })
}

function forwarderLoop (options: RelayOptions): Loop {
  const forwarder = forwarderNamed('http', options)
  // To make one for each attempt is the pump's work. More listeners at one signal than there are in the pump would be dearer.
  const signals = Array.from({ length: options.connections }, () => new AbortController().signal)
  let count = 0
  return async (list) => {
    await eachAtOnce(options.connections, list, async (delivery) => {
      const signal = signals[count++ % signals.length] ?? AbortSignal.abort()
      const { outcomes: [outcome] } = await forwarder.forward([{ delivery, number: 1, replay: false }], { signal })
      if (outcome?.status !== 'forwarded') throw new Error(JSON.stringify(outcome))
    })
  }
}

/** Journals of backlogs that are already there, by their size, and the feeds that were opened on them. */
const backlogs = new Map<number, Promise<SqliteJournal>>()
let feeds = 0

async function backlogOf (list: readonly Delivery[], dataDir: string): Promise<SqliteJournal> {
  const journal = createSqliteJournal({
    dataDir: join(dataDir, String(list.length)), logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: 365 * DAY_MS, maxBytes: 0 }
  })
  await journal.start()
  for (let at = 0; at < list.length; at += APPENDS) await Promise.all(list.slice(at, at + APPENDS).map(journal.append))
  return journal
}

/** A new forwarder, for which the whole backlog is waiting, on the pump and journal that the service has. */
async function drain (list: readonly Delivery[], options: RelayOptions): Promise<Run> {
  const prepared = backlogs.get(list.length) ?? backlogOf(list, options.dataDir)
  backlogs.set(list.length, prepared)
  const journal = await prepared
  const forwarder = forwarderNamed(`http-${++feeds}`, options)
  let forwarded = 0
  const pump = createPump({
    forwarder: {
      ...forwarder,
      async forward (attempts, context) {
        const result = await forwarder.forward(attempts, context)
        if (result.outcomes.every(({ status }) => status === 'forwarded')) forwarded += attempts.length
        return result
      }
    },
    journal,
    start: 'beginning',
    accepts: () => true,
    retry: { minMs: 1000, maxMs: 1000, giveUpMs: 1000 },
    breakerThreshold: 5,
    clock: systemClock,
    random: Math.random,
    logger
  })
  const run = await timed(list.length, async () => {
    await pump.start()
    await pump.idle()
  })
  await pump.close(new AbortController().signal)
  if (forwarded !== list.length) throw new Error(`${forwarded} of ${list.length} were forwarded`)
  return run
}

async function timed (events: number, work: () => Promise<void>): Promise<Run> {
  const cpu = process.cpuUsage()
  const before = performance.now()
  await work()
  const ms = performance.now() - before
  const { user, system } = process.cpuUsage(cpu)
  return { events, ms, cpuMs: (user + system) / 1000, peakBytes: process.resourceUsage().maxRSS * 1024 }
}

let opened: RelayOptions | undefined

const api = {
  open (options: RelayOptions): void {
    opened = options
    switch (options.mode) {
      case 'few headers':
        loop = plainLoop(options, () => ({ 'content-type': 'application/json' }))
        break
      case 'same headers':
        loop = plainLoop(options, sameHeaders)
        break
      case 'forwarder':
        loop = forwarderLoop(options)
        break
      case 'pump':
        loop = undefined
    }
  },

  async run (events: number): Promise<Run> {
    if (opened === undefined) throw new Error('The relay is not open')
    while (deliveries.length < events) deliveries.push(deliveryAt(deliveries.length))
    const list = deliveries.slice(0, events)
    const run = loop
    return run === undefined ? await drain(list, opened) : await timed(events, async () => { await run(list) })
  }
}

export type RelayApi = typeof api

serveParent(api)
