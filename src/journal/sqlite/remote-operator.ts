import type { Logger } from 'pino'
import { StoreError, storeErrorCodes, type Operator } from '../../delivery/operator.js'
import type { OperatorApi } from './operator.js'
import { startThread, ThreadError, type Thread } from './thread.js'

/** An operator's api in a thread. */
export interface OperatorThreadApi extends OperatorApi {
  /** Says which store is meant; opens nothing. */
  readonly open: (options: { readonly dataDir: string }) => void
  /** Closes the store until the next call, so that another file can be put in its place. */
  readonly letGo: () => void
}

export interface RemoteOperator extends Operator {
  /** Resolves once no connection of the operator to the store is open. */
  readonly letGo: () => Promise<void>
}

export type StartOperatorThread = (onFailure: (error: Error) => void) => Thread<OperatorThreadApi>

export interface RemoteOperatorOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly start?: StartOperatorThread
}

/** How long closing waits for what is under way. */
const CLOSE_TIMEOUT_MS = 1000

/**
 * An operator whose work is done in a thread of its own, one call after another, so that none holds up anything else. The
 * thread is started by the first call, and anew after it has failed.
 */
export function createRemoteOperator ({ dataDir, logger, start = startOperatorThread }: RemoteOperatorOptions): RemoteOperator {
  let thread: Thread<OperatorThreadApi> | undefined
  let closed = false

  function remote (): Thread<OperatorThreadApi>['remote'] {
    if (closed) throw new StoreError('STORE_BUSY', 'The service is stopping')
    if (thread === undefined) {
      thread = start((error) => {
        thread = undefined
        logger.error({ err: error }, 'operator\'s thread failed')
      })
      thread.remote.open({ dataDir }).catch(() => { /* then what follows is rejected too */ })
    }
    return thread.remote
  }

  async function call<T> (work: (api: Thread<OperatorThreadApi>['remote']) => Promise<T>): Promise<T> {
    try {
      return await work(remote())
    } catch (error) {
      throw asStoreError(error)
    }
  }

  return {
    isServed: async () => await call(async (api) => await api.isServed()),
    lastSequence: async () => await call(async (api) => await api.lastSequence()),
    countQuarantined: async () => await call(async (api) => await api.countQuarantined()),
    list: async (query) => await call(async (api) => await api.list(query)),
    page: async (query) => await call(async (api) => await api.page(query)),
    find: async (idPrefix) => await call(async (api) => await api.find(idPrefix)),
    read: async (sequence) => await call(async (api) => await api.read(sequence)),
    deadLetters: async (query) => await call(async (api) => await api.deadLetters(query)),
    deadLetterPage: async (query) => await call(async (api) => await api.deadLetterPage(query)),
    unfinished: async (query) => await call(async (api) => await api.unfinished(query)),
    release: async (request) => await call(async (api) => await api.release(request)),
    replay: async (request) => await call(async (api) => await api.replay(request)),
    discard: async (request) => await call(async (api) => await api.discard(request)),
    keepPaused: async (request) => { await call(async (api) => { await api.keepPaused(request) }) },
    forwarders: async (options) => await call(async (api) => await api.forwarders(options)),
    forget: async (request) => await call(async (api) => await api.forget(request)),
    verify: async (request) => await call(async (api) => await api.verify(request)),
    checkFiles: async () => await call(async (api) => await api.checkFiles()),
    prune: async (request) => await call(async (api) => await api.prune(request)),
    countPrunable: async (request) => await call(async (api) => await api.countPrunable(request)),
    erase: async (request) => await call(async (api) => await api.erase(request)),
    scrub: async (request) => await call(async (api) => await api.scrub(request)),
    async letGo () {
      await thread?.remote.letGo()
    },
    async close () {
      closed = true
      await thread?.close(CLOSE_TIMEOUT_MS)
    }
  }
}

/** Beside the composition root, because releasing goes by schemas that the journal does not know. */
function startOperatorThread (onFailure: (error: Error) => void): Thread<OperatorThreadApi> {
  return startThread('../../operator-thread', onFailure)
}

/** The code is all that is left of an error's kind when it comes from a thread. */
function asStoreError (error: unknown): unknown {
  if (!(error instanceof ThreadError)) return error
  if (error.code === 'THREAD_ENDED') return new StoreError('STORE_BUSY', 'The thread that reads the store has ended: try again', error)
  const code = storeErrorCodes.find((each) => each === error.code)
  return code === undefined ? error : new StoreError(code, error.message, error)
}
