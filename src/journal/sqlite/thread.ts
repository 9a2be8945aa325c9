import { parentPort, Worker } from 'node:worker_threads'

type Api = Record<string, (argument: never) => unknown>

/** The methods of a thread's api, each with a promise for its result. */
export type Remote<T> = { readonly [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: P) => Promise<R> : never }

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

type Reply =
  | { readonly id: number, readonly ok: true, readonly result: unknown }
  | { readonly id: number, readonly ok: false, readonly error: { readonly name: string, readonly message: string, readonly code: string | undefined } }

/** An error that was thrown in a thread. Its code is that of the original. */
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
      const { name, message, code } = error instanceof Error ? error as Error & { code?: string } : new Error(String(error)) as Error & { code?: string }
      reply = { id, ok: false, error: { name, message, code } }
    }
    parentPort?.postMessage(reply)
    if (method === 'close') parentPort?.close()
  })
}

export interface Thread<T> {
  readonly remote: Remote<T>
  /** Resolves once the thread has ended, by itself or not. */
  readonly exited: Promise<void>
}

/**
 * Starts a thread whose module calls `serveThread`.
 * @param name the module's name beside this one, without its ending
 */
export function startThread<T extends object> (name: string, onFailure: (error: Error) => void): Thread<T> {
  // The sources run as they are in the tests, and compiled everywhere else.
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const worker = new Worker(new URL(`./${name}${ending}`, import.meta.url))
  const calls = new Map<number, { resolve: (result: unknown) => void, reject: (error: Error) => void }>()
  let lastId = 0
  let ended: Error | undefined

  function end (error: Error): void {
    if (ended !== undefined) return
    ended = error
    for (const call of calls.values()) call.reject(error)
    calls.clear()
  }

  worker.on('message', (reply: Reply) => {
    const call = calls.get(reply.id)
    calls.delete(reply.id)
    if (reply.ok) call?.resolve(reply.result)
    else call?.reject(new ThreadError(reply.error.message, reply.error.code))
  })
  worker.on('error', (error) => {
    end(error)
    onFailure(error)
  })
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      end(new ThreadError(`The ${name} thread has ended`, 'THREAD_ENDED'))
      resolve()
    })
  })

  function call (method: string, argument: unknown): Promise<unknown> {
    if (ended !== undefined) return Promise.reject(ended)
    return new Promise((resolve, reject) => {
      const id = ++lastId
      calls.set(id, { resolve, reject })
      worker.postMessage({ id, method, argument } satisfies Call)
    })
  }

  const remote = new Proxy({}, { get: (_target, method) => async (argument: unknown) => await call(String(method), argument) })
  return { remote: remote as Remote<T>, exited }
}
