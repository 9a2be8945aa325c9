import { Pool } from 'undici'
import { defaultValues, httpOptions } from '../../src/config/forwarder-options.js'
import type { Delivery } from '../../src/delivery/delivery.js'
import type { Forwarder } from '../../src/delivery/forwarder.js'
import { createHttpForwarder } from '../../src/forwarders/http/http-forwarder.js'
import { createBacklog, deliveryAt, SIGNATURE, timed, type Backlog } from '../backlog.js'
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

type Loop = (deliveries: readonly Delivery[]) => Promise<void>

const deliveries: Delivery[] = []
let loop: Loop | undefined
let backlog: Backlog | undefined
let feeds = 0

/** Sends as many at once as there are connections. Each connection takes the next delivery when the previous one is answered. */
async function eachAtOnce (connections: number, list: readonly Delivery[], send: (delivery: Delivery) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: connections }, async () => {
    for (let delivery = list[next++]; delivery !== undefined; delivery = list[next++]) await send(delivery)
  }))
}

/** The baseline: the shortest code that sends the same bytes. */
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
    ...defaultValues(httpOptions),
    concurrency: connections,
    timeoutMs: TIMEOUT_MS,
    retryAfterMaxMs: 300_000,
    headers: [],
    version: '0.0.0',
    environment: {},
    now: Date.now
  })
}

function forwarderLoop (options: RelayOptions): Loop {
  const forwarder = forwarderNamed('http', options)
  // Made in advance, because the pump makes the signals. There are several, because many listeners on one signal would cost more than in the pump.
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
        backlog = createBacklog({ kind: 'sqlite', folder: options.dataDir })
    }
  },

  async run (events: number): Promise<Run> {
    if (opened === undefined) throw new Error('The relay is not open')
    // A new forwarder, for which the whole backlog is waiting.
    if (backlog !== undefined) return await backlog.drainTo(forwarderNamed(`http-${++feeds}`, opened), events)
    const run = loop
    if (run === undefined) throw new Error('The relay has no loop')
    while (deliveries.length < events) deliveries.push(deliveryAt(deliveries.length))
    const list = deliveries.slice(0, events)
    return await timed(events, async () => { await run(list) })
  }
}

export type RelayApi = typeof api

serveParent(api)
