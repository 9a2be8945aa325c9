import { basename } from 'node:path'
import { MessageChannel, parentPort, Worker, type MessagePort, type Transferable } from 'node:worker_threads'
import { within } from '../delivery/within.js'
import { systemCode } from '../errors/system-code.js'

type Methods = Readonly<Record<string, (argument: unknown) => unknown>>

/** The methods of an api in another thread, each with a promise for its result. What is in `transfer` is moved there and not copied. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: [...P, transfer?: readonly Transferable[]]) => Promise<Awaited<R>> : never
}

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface Connect {
  readonly connect: MessagePort
}

type Reply =
  | { readonly id: number, readonly result: unknown }
  | { readonly id: number, readonly error: ErrorFields }
  | { readonly event: unknown }

export interface ErrorFields {
  readonly message: string
  readonly code: string | undefined
  /** The file that it is about, where the operating system says so. */
  readonly path: string | undefined
  readonly cause?: ErrorFields
}

/** An error that was thrown in another thread, or the end of one. Its code is that of the original, and so is its cause's. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError'
  readonly code: string | undefined
  readonly path: string | undefined

  constructor (message: string, code: string | undefined, { path, cause }: { readonly path?: string | undefined, readonly cause?: Error | undefined } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
  }
}

/** What of an error crosses from thread to thread. */
export function errorFields (error: unknown): ErrorFields {
  const textOf = (name: string): string | undefined => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const cause = error instanceof Error ? error.cause : undefined
  return { message: textOf('message') ?? String(error), code: systemCode(error), path: textOf('path'), ...cause === undefined ? {} : { cause: errorFields(cause) } }
}

export function toThreadError ({ message, code, path, cause }: ErrorFields): ThreadError {
  return new ThreadError(message, code, { path, cause: cause === undefined ? undefined : toThreadError(cause) })
}

/**
 * In a thread: answers calls with the methods of `api`, those of the main thread and those of others that it connects. The thread is
 * done after `close`.
 */
export function serveThread (api: object): void {
  const methods = api as Methods
  const main = parentPort
  if (main === null) throw new Error('This is no thread')

  function serve (port: MessagePort): void {
    port.on('message', (message: Call | Connect) => {
      if ('connect' in message) serve(message.connect)
      else answer(port, message).catch((error: unknown) => { throw error })
    })
  }

  async function answer (port: MessagePort, { id, method, argument }: Call): Promise<void> {
    let reply: Reply
    try {
      const result = methods[method]?.(argument)
      reply = { id, result: result instanceof Promise ? await result : result }
    } catch (error) {
      reply = { id, error: errorFields(error) }
    }
    port.postMessage(reply)
    if (method === 'close' && port === main) port.close()
  }

  serve(main)
}

/** In a thread: tells the main thread of something, which must be what may cross. */
export function emitToMain (event: unknown): void {
  parentPort?.postMessage({ event } satisfies Reply)
}

/** Calls to the api behind a port. */
interface Calls<T> {
  readonly remote: Remote<T>
  readonly reply: (reply: Reply) => void
  /** Rejects the calls that are not answered, and all that are made from now on. */
  readonly end: (error: Error) => void
}

function createCalls<T> (post: (call: Call, transfer: readonly Transferable[]) => void, onEvent: (event: unknown) => void): Calls<T> {
  const calls = new Map<number, { readonly resolve: (result: unknown) => void, readonly reject: (error: Error) => void }>()
  let lastId = 0
  let ended: Error | undefined

  const remote = new Proxy({}, {
    get: (_target, method) => async (argument: unknown, transfer: readonly Transferable[] = []) => await new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(ended)
      const id = ++lastId
      calls.set(id, { resolve, reject })
      post({ id, method: String(method), argument }, transfer)
    })
  })

  return {
    remote: remote as Remote<T>,
    reply (reply) {
      if ('event' in reply) return onEvent(reply.event)
      const call = calls.get(reply.id)
      calls.delete(reply.id)
      if ('error' in reply) call?.reject(toThreadError(reply.error))
      else call?.resolve(reply.result)
    },
    end (error) {
      ended ??= error
      for (const { reject } of calls.values()) reject(ended)
      calls.clear()
    }
  }
}

export interface Connection<T> {
  readonly remote: Remote<T>
  readonly close: () => void
}

/** Calls the api of a thread from another one, by a port that the thread was given. */
export function connectTo<T> (port: MessagePort): Connection<T> {
  const { remote, reply, end } = createCalls<T>((call, transfer) => { port.postMessage(call, transfer) }, () => {})
  port.on('message', reply)
  port.on('close', () => { end(new ThreadError('The other thread has ended', 'THREAD_ENDED')) })
  return { remote, close: () => { port.close() } }
}

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
