import type { Logger } from 'pino'
import { StoreError, storeErrorCodes, type Operator } from '../delivery/operator.js'
import { operatorCallNames, type OperatorCalls, type OperatorThreadApi } from '../journal/sqlite/operator.js'
import { closeDatabaseInTime } from './close-database-in-time.js'
import { startThread, type Thread } from '../threads/thread.js'
import { ThreadError } from '../threads/thread-error.js'

export interface RemoteOperator extends Operator {
  /** Resolves when the operator thread has no connection to the store open. */
  readonly closeDatabase: () => Promise<void>
}

export type StartOperatorThread = (onFailure: (error: Error) => void) => Thread<OperatorThreadApi>

export interface RemoteOperatorOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly start?: StartOperatorThread
}

/** How long closing waits for calls under way, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1000

/**
 * Makes an operator that works in its own thread, one call after another, so that its queries delay nothing else. The first call starts the
 * thread. After a failure, the next call starts it again.
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
      thread.remote.open({ dataDir }).catch(() => { /* The calls that follow are rejected too. */ })
    }
    return thread.remote
  }

  const call = (name: keyof OperatorCalls) => async (request: unknown): Promise<unknown> => {
    try {
      return await (remote()[name] as (request: unknown) => Promise<unknown>)(request)
    } catch (error) {
      throw asStoreError(error)
    }
  }

  return {
    ...Object.fromEntries(operatorCallNames.map((name) => [name, call(name)])) as unknown as Omit<Operator, 'close'>,
    async closeDatabase () {
      if (thread === undefined) return
      const { remote, abort, exited } = thread
      await closeDatabaseInTime({ closeDatabase: async () => { await remote.closeDatabase() }, abort, exited })
    },
    async close () {
      closed = true
      await thread?.close(CLOSE_TIMEOUT_MS)
    }
  }
}

/** The thread's module is in the composition root, because releasing needs the event schemas, which the journal does not know. */
function startOperatorThread (onFailure: (error: Error) => void): Thread<OperatorThreadApi> {
  return startThread('../composition/operator-thread', { onFailure })
}

/** Makes a `StoreError` again: of the error's class, only the code is passed between threads. */
function asStoreError (error: unknown): unknown {
  if (!(error instanceof ThreadError)) return error
  if (error.code === 'THREAD_ENDED') return new StoreError('STORE_BUSY', 'The thread that reads the store has ended: try again', error)
  const code = storeErrorCodes.find((each) => each === error.code)
  return code === undefined ? error : new StoreError(code, error.message, error)
}
