import { basename } from 'node:path'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { within } from '../delivery/within.js'
import { createCalls, type Connect, type Remote } from './remote.js'
import { ThreadError } from './thread-error.js'

export interface Thread<T> {
  readonly remote: Remote<T>
  /** Makes a port by which another thread may call the api too. */
  readonly connect: () => MessagePort
  /** Lets the thread end by calling its `close`, with `argument`, and waits for that, for `timeoutMs` at most. Returns whether it has closed all that it had open. */
  readonly close: (timeoutMs: number, argument?: unknown) => Promise<boolean>
  /** Ends the thread at once, as failed with this error. */
  readonly abort: (error: Error) => void
  /** Resolves when the thread has ended. */
  readonly exited: Promise<void>
}

/** Threads that have not ended. The end of the process waits for them. */
const running = new Set<Worker>()

export function countThreads (): number {
  return running.size
}

/** How long a thread that has closed what it had open may take to end, in milliseconds. */
const EXIT_MS = 300

export interface ThreadHooks {
  /** Called when it ends without having been closed; calls of its methods are rejected then. */
  readonly onFailure: (error: Error) => void
  readonly onEvent?: (event: never) => void
}

/**
 * Starts a thread whose module calls `serveThread`.
 * @param name the module's name beside this one, without its ending
 */
export function startThread<T extends { close: (...parameters: never[]) => unknown }> (name: string, { onFailure, onEvent = () => {} }: ThreadHooks): Thread<T> {
  // The sources run as they are in the tests, and compiled everywhere else.
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
      // Ended already, or ends before it answers: the exit says it all.
      const closed: Promise<boolean> = Reflect.get(remote, 'close')(argument).then(() => true, async () => await exit)
      if (await within(timeoutMs, closed) !== true) return false
      // Somebody's code may keep it from its end, and a name look-up that hangs even from being ended.
      if (await within(EXIT_MS, exit) !== true) worker.terminate().catch(() => undefined)
      return true
    }
  }
}
