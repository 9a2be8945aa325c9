import { createHmac, timingSafeEqual } from 'node:crypto'
import { openSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { openLogOutput } from '../../src/composition/log-output.js'
import { createLogger } from '../../src/composition/logger.js'
import { keepObjectsYoung } from '../../src/composition/young-objects.js'
import { loadSettings } from '../../src/config/load-settings.js'
import { systemClock } from '../../src/delivery/clock.js'
import type { Journal } from '../../src/delivery/journal.js'
import { createNewId } from '../../src/delivery/new-id.js'
import { createApp } from '../../src/ingress/app.js'
import { createLateness } from '../../src/ingress/lateness.js'
import { authenticate } from '../../src/ingress/authenticate.js'
import { createService } from '../../src/composition/service.js'
import { serveParent } from '../child.js'
import { openJournal, type SharedPlace } from '../journal.js'

/**
 * The variants, each with more than the one before. `everything on` is the service with its log and file forwarders. `and http` adds an HTTP
 * destination, which hangs in `and hanging http`.
 */
export type ReceiverMode =
  | 'bare Fastify' | 'by hand, with fsync' | 'verify only' | 'verify and validate' | 'and journal' | 'journal and log' | 'journal and file' | 'everything on' | 'and http' | 'and hanging http'

export interface ReceiverOptions {
  readonly mode: ReceiverMode
  readonly secret: string
  readonly dataDir: string
  /** Where the service's journal is, if it is not in `dataDir`. */
  readonly place?: SharedPlace | undefined
  /** The URL to which the http forwarder posts. */
  readonly destination: string
}

export interface Usage {
  readonly cpuMs: number
  readonly peakBytes: number
}

/** The process is idle when it uses less than this share of a core. */
const REST = 0.08
const LOOK_MS = 100
const LONGEST_REST_MS = 20_000

// A service writes its log to a pipe. Here the log is written too, but nobody reads it.
const log = openLogOutput({ fd: openSync('/dev/null', 'w'), onError: (error) => { throw error } })
const logger = createLogger('info', log)
let mark = process.cpuUsage()

async function openBare (): Promise<string> {
  const app = Fastify()
  app.post('/webhooks', async (_request, reply) => await reply.code(202).send({ message: 'Webhook accepted' }))
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

async function openVerifying (secret: string): Promise<string> {
  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.post('/webhooks', async (request, reply) => {
    if (!(request.body instanceof Uint8Array)) throw new TypeError('The body is not there')
    authenticate(request.body, request.headers, [secret])
    return await reply.code(202).send({ message: 'Webhook accepted' })
  })
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

/** The code that a team would write in an afternoon. It checks the signature and writes each event to disk before the answer. */
async function openByHand (secret: string, dataDir: string): Promise<string> {
  const file = await openFile(join(dataDir, 'events.ndjson'), 'a')
  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.post('/webhooks', async (request, reply) => {
    if (!Buffer.isBuffer(request.body)) return await reply.code(400).send()
    const right = createHmac('sha256', secret).update(request.body).digest()
    const given = Buffer.from(String(request.headers['x-voucherify-signature']), 'hex')
    if (given.byteLength !== right.byteLength || !timingSafeEqual(given, right)) return await reply.code(401).send()
    const event: unknown = JSON.parse(request.body.toString())
    await file.appendFile(`${JSON.stringify(event)}\n`)
    await file.datasync()
    return await reply.code(202).send({ message: 'Webhook accepted' })
  })
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

async function openApp (journal: Journal, secret: string): Promise<string> {
  const app = createApp({
    logger,
    journal,
    newId: createNewId(systemClock.now),
    now: systemClock.now,
    dedupeUnidentifiedMs: 0,
    lateness: createLateness({ windowMs: 15 * 86_400_000, clock: systemClock, logger }),
    bodyLimitBytes: 1_048_576,
    trustProxy: false,
    secrets: [secret],
    hostNames: [],
    requiredHeaders: [],
    sourceFilter: undefined,
    policy: { invalid: 'quarantine', unvalidated: 'forward', rawPayloads: 'accept' },
    customWebhooks: [],
    readiness: () => []
  })
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

/** A journal that stores nothing. */
const stub: Journal = {
  append: async ({ id, verdict }) => ({ status: 'stored', id, verdict }),
  openFeed: async () => { throw new Error('Nobody reads here') },
  close: async () => {}
}

async function openService ({ dataDir, place, secret, destination }: ReceiverOptions, forwarders: string): Promise<string> {
  const shared = place === undefined ? {} : { JOURNAL: place.url, JOURNAL_SCHEMA: place.schema, REPLICA_NAME: basename(dataDir) }
  const settings = loadSettings({
    environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir, VOUCHERIFY_WEBHOOK_SECRETS: secret, FORWARDERS: forwarders, HTTP_FORWARDER_URL: destination, ...shared }
  })
  const { url } = await createService({ settings, logger, logDestination: log }).start()
  return url
}

async function open (options: ReceiverOptions): Promise<string> {
  // As in the program itself.
  if (options.mode !== 'bare Fastify' && options.mode !== 'by hand, with fsync') keepObjectsYoung()
  switch (options.mode) {
    case 'bare Fastify': return await openBare()
    case 'by hand, with fsync': return await openByHand(options.secret, options.dataDir)
    case 'verify only': return await openVerifying(options.secret)
    case 'verify and validate': return await openApp(stub, options.secret)
    case 'and journal': return await openApp(await openJournal({ kind: 'sqlite', folder: options.dataDir }), options.secret)
    case 'journal and log': return await openService(options, 'log')
    case 'journal and file': return await openService(options, 'file')
    case 'everything on': return await openService(options, 'log,file')
    case 'and http':
    case 'and hanging http': return await openService(options, 'log,file,http')
  }
}

/** Resolves when the process is idle: no other outside sign shows that all accepted events have been forwarded. */
async function rest (): Promise<void> {
  const deadline = performance.now() + LONGEST_REST_MS
  for (;;) {
    const before = process.cpuUsage()
    await sleep(LOOK_MS)
    const { user, system } = process.cpuUsage(before)
    if ((user + system) / 1000 < LOOK_MS * REST || performance.now() > deadline) return
  }
}

const api = {
  async open (options: ReceiverOptions): Promise<{ readonly port: number }> {
    return { port: Number(new URL(await open(options)).port) }
  },

  begin (): void {
    mark = process.cpuUsage()
  },

  /** Returns what the process has used since `begin`, including the work that was left afterwards. */
  async end (): Promise<Usage> {
    await rest()
    const { user, system } = process.cpuUsage(mark)
    return { cpuMs: (user + system) / 1000, peakBytes: process.resourceUsage().maxRSS * 1024 }
  }
}

export type ReceiverApi = typeof api

serveParent(api)
