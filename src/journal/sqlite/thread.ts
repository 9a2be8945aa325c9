import { parentPort, Worker } from 'node:worker_threads'

type Api = Record<string, (argument: never) => unknown>

/** The methods of a thread's api, each with a promise for its result. What is in `transfer` is moved there and not copied. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: [...P, transfer?: readonly ArrayBuffer[]]) => Promise<R> : never
}

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

type Reply =
  | { readonly id: number, readonly ok: true, readonly result: unknown }
  | { readonly id: number, readonly ok: false, readonly error: { readonly message: string, readonly code: string | undefined } }

/** An error that was thrown in a thread, or the end of one. Its code is that of the original. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError'
  readonly code: string | undefined

  constructor (message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

/** In a thread: answers calls with the methods of `api`, one after another. */
export function serveThread (api: object): void {
  const methods = api as Api
  parentPort?.on('message', ({ id, method, argument }: Call) => {
    let reply: Reply
    try {
      reply = { id, ok: true, result: methods[method]?.(argument as never) }
    } catch (error) {
      const { message, code } = error instanceof Error ? error as NodeJS.ErrnoException : new Error(String(error)) as NodeJS.ErrnoException
      reply = { id, ok: false, error: { message, code } }
    }
    parentPort?.postMessage(reply)
    if (method === 'close') parentPort?.close()
  })
}

export interface Thread<T> {
  readonly remote: Remote<T>
  /** Lets the thread end by calling its `close`, and waits for that, for `timeoutMs` at most. Returns whether it has ended. */
  readonly close: (timeoutMs: number) => Promise<boolean>
}

/**
 * Starts a thread whose module calls `serveThread`.
 * @param name the module's name beside this one, without its ending
 * @param onFailure called when it ends without having been closed; calls of its methods are rejected then
 */
export function startThread<T extends { close: () => void }> (name: string, onFailure: (error: Error) => void): Thread<T> {
  // The sources run as they are in the tests, and compiled everywhere else.
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const worker = new Worker(new URL(`./${name}${ending}`, import.meta.url))
  const calls = new Map<number, { resolve: (result: unknown) => void, reject: (error: Error) => void }>()
  let lastId = 0
  let ended: Error | undefined
  let closing = false

  function end (error: Error): void {
    if (ended !== undefined) return
    ended = error
    for (const call of calls.values()) call.reject(error)
    calls.clear()
    if (!closing) onFailure(error)
  }

  worker.on('message', (reply: Reply) => {
    const call = calls.get(reply.id)
    calls.delete(reply.id)
    if (reply.ok) call?.resolve(reply.result)
    else call?.reject(new ThreadError(reply.error.message, reply.error.code))
  })
  worker.on('error', end)
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      end(new ThreadError(`The ${name} has ended`, 'THREAD_ENDED'))
      resolve()
    })
  })

  function call (method: string, argument: unknown, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (ended !== undefined) return Promise.reject(ended)
    return new Promise((resolve, reject) => {
      const id = ++lastId
      calls.set(id, { resolve, reject })
      worker.postMessage({ id, method, argument } satisfies Call, transfer)
    })
  }

  const remote = new Proxy({}, {
    get: (_target, method) => async (argument: unknown, transfer?: readonly ArrayBuffer[]) => await call(String(method), argument, transfer)
  })

  return {
    remote: remote as Remote<T>,
    async close (timeoutMs) {
      closing = true
      // Ended already, or ends before it answers: the exit says it all.
      call('close', undefined).catch(() => undefined)
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<false>((resolve) => { timer = setTimeout(() => { resolve(false) }, timeoutMs) })
      const hasEnded = await Promise.race([exited.then(() => true), timeout])
      clearTimeout(timer)
      return hasEnded
    }
  }
}
