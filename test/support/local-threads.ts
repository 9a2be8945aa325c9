import { setImmediate as turn } from 'node:timers/promises'
import { createReader } from '../../src/journal/sqlite/reader.js'
import { createOperatorApi } from '../../src/journal/sqlite/operator-api.js'
import { ThreadError, type Thread } from '../../src/journal/sqlite/thread.js'
import { parseFilter } from '../../src/forwarders/delivery-filter.js'
import { createWriter } from '../../src/journal/sqlite/writer.js'
import type { ServiceThreads } from '../../src/service.js'
import { createJudge } from '../../src/voucherify/judge.js'
import { locateEvent } from '../../src/voucherify/event-text.js'

export interface LocalThreads extends ServiceThreads {
  /** Called before each call of a method of the writer; may wait, or throw in its stead. */
  beforeWrite: (method: string) => Promise<void>
  /** The same after the call, when its work is done. */
  afterWrite: (method: string) => Promise<void>
  beforeRead: (method: string) => Promise<void>
  /** Lets the running writer, or reader, end like one that runs out of memory. */
  readonly endWriter: () => void
  readonly endReader: () => void
}

async function nothing (): Promise<void> {}

/** The two sides of the journal without threads, which start slowly where sources are compiled as they run. */
export function localThreads (now: () => number = Date.now): LocalThreads {
  let endWriter = (): void => {}
  let endReader = (): void => {}
  const threads: LocalThreads = {
    beforeWrite: nothing,
    afterWrite: nothing,
    beforeRead: nothing,
    endWriter: () => { endWriter() },
    endReader: () => { endReader() },
    startWriter (onFailure) {
      const { thread, end } = local(createWriter({ now, locateEvent }), async (method) => { await threads.beforeWrite(method) }, async (method) => { await threads.afterWrite(method) }, onFailure)
      endWriter = end
      return thread
    },
    startReader (onFailure) {
      const { thread, end } = local(createReader(now), async (method) => { await threads.beforeRead(method) }, nothing, onFailure)
      endReader = end
      return thread
    },
    startOperator: (onFailure) => local(createOperatorApi({ judge: createJudge(), parseFilter, now: Date.now }), nothing, nothing, onFailure).thread
  }
  return threads
}

function local<T extends { close: () => void }> (
  api: T, before: (method: string) => Promise<void>, after: (method: string) => Promise<void>, onFailure: (error: Error) => void
): { thread: Thread<T>, end: () => void } {
  let last: Promise<unknown> = Promise.resolve()
  let ended: Error | undefined
  let reject: (error: Error) => void = () => {}
  const failed = new Promise<never>((_resolve, _reject) => { reject = _reject })
  failed.catch(() => undefined)

  async function call (method: string, argument: unknown): Promise<unknown> {
    if (ended !== undefined) throw ended
    const sent = structuredClone(argument)
    const mine = last.catch(() => undefined).then(async () => {
      await turn()
      await before(method)
      const result: unknown = (Reflect.get(api, method) as (argument: unknown) => unknown)(sent)
      await after(method)
      return structuredClone(result)
    })
    last = mine
    return await Promise.race([mine, failed])
  }

  const remote = new Proxy({}, { get: (_target, method) => async (argument: unknown) => await call(String(method), argument) })
  return {
    thread: {
      remote: remote as Thread<T>['remote'],
      async close (timeoutMs) {
        if (ended !== undefined) return true
        const closed = call('close', undefined).then(() => true)
        let timer: NodeJS.Timeout | undefined
        const timeout = new Promise<false>((resolve) => { timer = setTimeout(() => { resolve(false) }, timeoutMs) })
        return await Promise.race([closed, timeout]).finally(() => { clearTimeout(timer) })
      }
    },
    end () {
      ended = new ThreadError('The thread has ended', 'THREAD_ENDED')
      api.close()
      reject(ended)
      onFailure(ended)
    }
  }
}
