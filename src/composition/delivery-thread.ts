import { pino, type Logger } from 'pino'
import { createLogger } from './logger.js'
import { systemClock } from '../delivery/clock.js'
import type { EndedAttempts } from '../delivery/observation.js'
import { connectTo, type Connection } from '../threads/remote.js'
import { emitToMain, serveThread } from '../threads/serve-thread.js'
import { errorFields, toThreadError } from '../threads/thread-error.js'
import type { StoreApi } from '../journal/sqlite/store.js'
import { createDelivery, type Delivery } from './delivery.js'
import type { DeliveryApi, DeliveryEvent } from './delivery-protocol.js'

/**
 * How long lines and ended attempts are collected before they are sent, in milliseconds, and the length of lines after which they are sent at
 * once, in characters.
 */
const GATHER_MS = 10
const GATHER_LENGTH = 65_536

function emit (event: DeliveryEvent): void {
  emitToMain(event)
}

/** Collects log lines and sends many at once to the main thread, the only thread that writes them. */
function createLines () {
  const waiting = new Map<number, { readonly resolve: () => void, readonly reject: (error: Error) => void }>()
  let gathered: string[] = []
  let length = 0
  let timer: NodeJS.Timeout | undefined
  let lastId = 0

  function send (id?: number): void {
    clearTimeout(timer)
    timer = undefined
    if (length === 0 && id === undefined) return
    emit({ type: 'lines', lines: gathered.join(''), ...(id === undefined ? {} : { id }) })
    gathered = []
    length = 0
  }

  return {
    write (line: string) {
      gathered.push(line)
      length += line.length
      if (length >= GATHER_LENGTH) send()
      else timer ??= setTimeout(send, GATHER_MS)
    },
    flushed: async () => await new Promise<void>((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      send(id)
    }),
    send,
    written ({ id, error }: Parameters<DeliveryApi['linesWritten']>[0]) {
      const flushed = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) flushed?.resolve()
      else flushed?.reject(toThreadError(error))
    }
  }
}

function gatherAttempts () {
  let ended: EndedAttempts[] = []
  let timer: NodeJS.Timeout | undefined

  function send (): void {
    clearTimeout(timer)
    timer = undefined
    if (ended.length > 0) emit({ type: 'attempts', ended })
    ended = []
  }

  return {
    send,
    add (attempts: EndedAttempts) {
      ended.push(attempts)
      timer ??= setTimeout(send, GATHER_MS)
    }
  }
}

const lines = createLines()
const attempts = gatherAttempts()
let delivery: Delivery | undefined
let store: Connection<StoreApi> | undefined

function open (logger: Logger): Delivery {
  delivery = createDelivery({
    logger,
    output: lines,
    clock: systemClock,
    onAttempts: attempts.add,
    onStatus: (status) => { emit({ type: 'status', status }) },
    onDamage: (error) => { emit({ type: 'damage', error: errorFields(error) }) }
  })
  return delivery
}

function opened (): Delivery {
  return delivery ?? open(pino({ level: 'silent' }))
}

const api: DeliveryApi = {
  openForwarders: async ({ logLevel, ...config }) => await open(createLogger(logLevel, lines, config.redact)).openForwarders(config),
  claim: async () => { await opened().claim() },
  begin: async () => { await opened().begin() },
  storeOpened ({ path, visible, store: port }) {
    store?.close()
    store = connectTo<StoreApi>(port)
    opened().storeOpened({ path, visible, store: store.remote })
  },
  setVisible: (sequence) => { opened().setVisible(sequence) },
  stored: (batch) => { opened().stored(batch) },
  closeDatabase: () => { opened().closeDatabase() },
  checkpoint: () => { opened().checkpoint() },
  pause: (forwarder) => { opened().pause(forwarder) },
  resume: (forwarder) => { opened().resume(forwarder) },
  respond () {},
  linesWritten: lines.written,
  async close (options) {
    try {
      await opened().close(options)
    } finally {
      store?.close()
      attempts.send()
      lines.send()
    }
  }
}

serveThread(api)
