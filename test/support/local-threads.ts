import { setImmediate as turn } from 'node:timers/promises'
import { createDelivery } from '../../src/composition/delivery.js'
import type { StartDelivery } from '../../src/composition/delivery-host.js'
import { systemClock } from '../../src/delivery/clock.js'
import { within } from '../../src/delivery/within.js'
import { parseFilter } from '../../src/forwarders/delivery-filter.js'
import { createOperatorApi } from '../../src/journal/sqlite/operator.js'
import { createStore } from '../../src/journal/sqlite/store.js'
import type { StartStore } from '../../src/journal/sqlite/store-supervisor.js'
import type { Thread } from '../../src/threads/thread.js'
import { ThreadError } from '../../src/threads/thread-error.js'
import { createWriter } from '../../src/journal/sqlite/writer.js'
import type { ServiceThreads } from '../../src/composition/service.js'
import { createJudge } from '../../src/voucherify/judge.js'

export interface LocalThreads extends ServiceThreads {
  /** Called before each method of the writer. May wait, or throw in place of the method. */
  beforeWrite: (method: string) => Promise<void>
  /** The same after the method has done its work. */
  afterWrite: (method: string) => Promise<void>
  /** Called when the method has ended in any way, before `afterWrite`. */
  writeEnded: () => void
  /** Ends the running store like a thread that runs out of memory. */
  readonly endStore: () => void
}

async function nothing (): Promise<void> {}

/** Runs the store, the delivery and the operator without threads, because threads start slowly from sources that are compiled on the fly. */
export function localThreads (now: () => number = Date.now): LocalThreads {
  let endStore = (): void => {}
  const threads: LocalThreads = {
    beforeWrite: nothing,
    afterWrite: nothing,
    writeEnded: () => {},
    endStore: () => { endStore() },
    startStore: ({ onFailure, onEvent }) => {
      const { thread, end } = localStore(threads, now, onFailure, onEvent)
      endStore = end
      return thread
    },
    startDelivery: localDelivery,
    startOperator: (onFailure) => local(createOperatorApi({ judge: createJudge(), parseFilter, now: Date.now }), onFailure).thread
  }
  return threads
}

function localStore (threads: LocalThreads, now: () => number, onFailure: (error: Error) => void, onEvent: Parameters<StartStore>[0]['onEvent']) {
  const writer = createWriter(now)
  let last: Promise<unknown> = Promise.resolve()

  /** Runs one call after another, as in a thread. */
  async function write<T> (method: string, work: () => T): Promise<T> {
    const mine = last.catch(() => undefined).then(async () => {
      await threads.beforeWrite(method)
      let result: T
      try {
        result = work()
      } finally {
        threads.writeEnded()
      }
      await threads.afterWrite(method)
      return result
    })
    last = mine
    return await mine
  }

  const store = createStore(writer, {
    monotonic: () => performance.now(),
    onCommit: (commit) => { onEvent(structuredClone(commit)) },
    commit: async (batch) => await write('commit', () => writer.commit(batch))
  })
  const grouped = new Set(['append', 'withdraw', 'save', 'close'])
  const api = new Proxy(store, {
    get: (target, method: string) => {
      const call = Reflect.get(target, method) as (argument: unknown) => unknown
      return grouped.has(method) ? call : async (argument: unknown) => await write(method, () => call(argument))
    }
  })
  const { thread, end } = local(api, onFailure)
  return {
    thread,
    end () {
      writer.close()
      end()
    }
  }
}

const localDelivery: StartDelivery = (hooks) => {
  const delivery = createDelivery({ ...hooks, clock: systemClock })
  return {
    openForwarders: async (config) => await delivery.openForwarders(structuredClone(config)),
    claim: async () => { await delivery.claim() },
    begin: async () => { await delivery.begin() },
    storeOpened: async ({ path, visible, store }) => { delivery.storeOpened({ path, visible, store: store.remote }) },
    setVisible: async (sequence) => { delivery.setVisible(sequence) },
    stored: async (batch) => { delivery.stored(batch) },
    closeDatabase: async () => { delivery.closeDatabase() },
    checkpoint: async () => { delivery.checkpoint() },
    pause: async (forwarder) => { delivery.pause(forwarder) },
    resume: async (forwarder) => { delivery.resume(forwarder) },
    async close (timeoutMs) {
      await delivery.close({ timeoutMs })
      return true
    },
    respond: async () => {},
    abort () {},
    exited: Promise.resolve()
  }
}

function local<T extends object> (api: T, onFailure: (error: Error) => void): { thread: Thread<T>, end: () => void } {
  let last: Promise<unknown> = Promise.resolve()
  let ended: Error | undefined
  let reject: (error: Error) => void = () => {}
  const failed = new Promise<never>((_resolve, _reject) => { reject = _reject })
  failed.catch(() => undefined)

  async function call (method: string, argument: unknown): Promise<unknown> {
    if (ended !== undefined) throw ended
    const sent = structuredClone(argument)
    // Calls begin in order, but a slow one does not block later ones.
    const begun = last.then(async () => {
      await turn()
      return { answer: (async () => await (Reflect.get(api, method) as (argument: unknown) => unknown)(sent))() }
    })
    last = begun
    const answered = begun.then(async ({ answer }) => structuredClone(await answer))
    return await Promise.race([answered, failed])
  }

  const remote = new Proxy({}, { get: (_target, method) => async (argument: unknown) => await call(String(method), argument) })
  return {
    thread: {
      remote: remote as Thread<T>['remote'],
      exited: Promise.resolve(),
      abort () {},
      connect: () => { throw new Error('There is no other thread') },
      async close (timeoutMs) {
        if (ended !== undefined) return true
        const closed = call('close', undefined).then(() => true)
        return await within(timeoutMs, closed) === true
      }
    },
    end () {
      ended = new ThreadError('The thread has ended', 'THREAD_ENDED')
      reject(ended)
      onFailure(ended)
    }
  }
}
