import type { ServerResponse } from 'node:http'
import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import type { Observer } from '../delivery/observation.js'
import { Problem } from '../errors/problem.js'
import { answerProblems } from '../http/problem-answer.js'
import type { App } from '../http/app.js'

export interface LiveFeedOptions {
  readonly logger: FastifyBaseLogger
  /** Resolves with the last delivery's sequence. */
  readonly lastSequence: () => Promise<number>
  readonly monotonic: () => number
  readonly clientsLimit?: number
  readonly intervalMs?: number
  readonly heartbeatMs?: number
}

/** Tells clients that something changed, so that they fetch again. The event does not say what changed. */
export interface LiveFeed {
  readonly observer: Observer
  readonly changed: () => void
  readonly addRoutes: (app: App) => void
}

const CLIENTS_LIMIT = 20
/** At most two events per second. */
const INTERVAL_MS = 500
/** Proxies commonly close a connection that is silent for a minute. */
const HEARTBEAT_MS = 15_000
/** An event is about 50 bytes. This many bytes wait only after the kernel's buffer is full, so the client has not read for minutes. */
const UNREAD_LIMIT_BYTES = 4096

export function createLiveFeed (options: LiveFeedOptions): LiveFeed {
  const { logger, lastSequence, monotonic, clientsLimit = CLIENTS_LIMIT, intervalMs = INTERVAL_MS, heartbeatMs = HEARTBEAT_MS } = options
  const clients = new Set<ServerResponse>()
  let heartbeat: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
  let sending = false
  let again = false
  let lastSentAt = -Infinity

  function changed (): void {
    if (clients.size === 0) return
    again = true
    if (timer !== undefined || sending) return
    timer = setTimeout(() => {
      timer = undefined
      send().catch((error: unknown) => { logger.error({ err: error }, 'live feed failed') })
    }, Math.max(0, lastSentAt + intervalMs - monotonic()))
  }

  async function send (): Promise<void> {
    sending = true
    again = false
    lastSentAt = monotonic()
    // If the store cannot be read, send nothing: the next change covers this one too.
    const sequence = await lastSequence().catch(() => undefined)
    sending = false
    if (sequence !== undefined) for (const client of clients) write(client, `event: changed\ndata: {"lastSequence":${sequence}}\n\n`)
    if (again) changed()
  }

  function write (client: ServerResponse, text: string): void {
    if (client.writableLength <= UNREAD_LIMIT_BYTES) {
      client.write(text)
      return
    }
    logger.warn({ unreadBytes: client.writableLength }, 'live feed client dropped: it does not read')
    remove(client)
    client.destroy()
  }

  function add (client: ServerResponse): void {
    clients.add(client)
    client.on('close', () => { remove(client) })
    // An error on the connection is followed by "close", which removes the client.
    client.on('error', () => {})
    heartbeat ??= setInterval(() => { for (const each of clients) write(each, ': still here\n\n') }, heartbeatMs)
    write(client, 'retry: 2000\n\n')
    changed()
  }

  function remove (client: ServerResponse): void {
    clients.delete(client)
    if (clients.size > 0) return
    clearInterval(heartbeat)
    clearTimeout(timer)
    heartbeat = timer = undefined
  }

  return {
    observer: { webhookAnswered: changed, attemptsEnded: changed, committed: changed },
    changed,
    addRoutes (app) {
      const stream = Type.String({ description: 'Server-sent events: `changed`, with `{"lastSequence": n}`, twice a second at most; a comment every 15 s.' })
      app.get('/api/events', {
        exposeHeadRoute: false,
        schema: {
          operationId: 'listenToChanges',
          summary: 'A stream of server-sent events that says when something has changed',
          tags: ['Service'],
          response: { 200: { description: 'The events.', content: { 'text/event-stream': { schema: stream } } }, ...answerProblems }
        }
      }, async (_request, reply) => {
        if (clients.size >= clientsLimit) {
          throw new Problem('LISTENERS_TOO_MANY', { detail: `${clientsLimit} clients listen already: close some.`, headers: { 'retry-after': '10' } })
        }
        reply.hijack()
        reply.raw.writeHead(200, { ...reply.getHeaders() as Record<string, string>, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
        add(reply.raw)
      })
      app.addHook('preClose', async () => { for (const client of [...clients]) client.end() })
    }
  }
}
