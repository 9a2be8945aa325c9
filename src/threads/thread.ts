import { basename } from 'node:path'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { within } from '../delivery/within.js'
import { createCalls, type Connect, type Remote } from './remote.js'
import { ThreadError } from './thread-error.js'

export interface Thread<T> {
  readonly remote: Remote<T>
  /** Makes a port through which another thread can call the api too. */
  readonly connect: () => MessagePort
  /**
   * Calls the thread's `close` with `argument`, and waits for `timeoutMs` at most. Returns whether the thread has closed everything that it had
   * open, or has ended.
   */
  readonly close: (timeoutMs: number, argument?: unknown) => Promise<boolean>
  /** Ends the thread at once and treats it as failed with this error. */
  readonly abort: (error: Error) => void
  /** Resolves when the thread has ended. */
  readonly exited: Promise<void>
}

/** Threads that have not ended. The process waits for them before it ends. */
const running = new Set<Worker>()

export function countThreads (): number {
  return running.size
}

/** How long a thread may take to end after its `close` has returned, in milliseconds. */
const EXIT_MS = 300

export interface ThreadHooks {
  /** Called if the thread ends without having been closed. Open calls of its methods are rejected before that. */
  readonly onFailure: (error: Error) => void
  readonly onEvent?: (event: never) => void
}

/**
 * Starts a thread whose module calls `serveThread`.
 * @param name the path of the module relative to this one, without its ending
 */
export function startThread<T extends { close: (...parameters: never[]) => unknown }> (name: string, { onFailure, onEvent = () => {} }: ThreadHooks): Thread<T> {
  // Tests run the TypeScript sources. Everything else runs the compiled files.
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const worker = new Worker(new URL(`./${name}${ending}`, import.meta.url))
  running.add(worker)
  const { remote, reply, end } = createCalls<T>((call, transfer) => { worker.postMessage(call, transfer) }, onEvent as (event: unknown) => void)
  let ended = false
  let closing = false

  function fail (error: Error): void {
    if (ended) return
    ended = true
    end(error)
    if (!closing) onFailure(error)
  }

  worker.on('message', reply)
  worker.on('error', fail)
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      running.delete(worker)
      fail(new ThreadError(`The ${basename(name)} has ended with exit code ${code}`, 'THREAD_ENDED'))
      resolve()
    })
  })

  return {
    remote,
    exited,
    abort (error) {
      fail(error)
      worker.terminate().catch(() => undefined)
    },
    connect () {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage({ connect: port2 } satisfies Connect, [port2])
      return port1
    },
    async close (timeoutMs, argument) {
      closing = true
      const exit = exited.then(() => true)
      // If the thread has ended already, or ends before it answers, its exit counts as closed.
      const closed: Promise<boolean> = Reflect.get(remote, 'close')(argument).then(() => true, async () => await exit)
      if (await within(timeoutMs, closed) !== true) return false
      // Code of a custom forwarder may keep the thread from ending. A name lookup that hangs even keeps it from being terminated, so do not wait
      // for that.
      if (await within(EXIT_MS, exit) !== true) worker.terminate().catch(() => undefined)
      return true
    }
  }
}
