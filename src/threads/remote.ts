import type { MessagePort, Transferable } from 'node:worker_threads'
import { ThreadError, toThreadError, type ErrorFields } from './thread-error.js'

/** The methods of an api in another thread, each returning a promise of its result. Objects in `transfer` are moved to that thread and not copied. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: [...P, transfer?: readonly Transferable[]]) => Promise<Awaited<R>> : never
}

export interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

export interface Connect {
  readonly connect: MessagePort
}

export type Reply =
  | { readonly id: number, readonly result: unknown }
  | { readonly id: number, readonly error: ErrorFields }
  | { readonly event: unknown }

/** Sends calls to the api behind a port, and matches the replies. */
export interface Calls<T> {
  readonly remote: Remote<T>
  readonly reply: (reply: Reply) => void
  /** Rejects the calls that are not answered yet, and all later calls. */
  readonly end: (error: Error) => void
}

export function createCalls<T> (post: (call: Call, transfer: readonly Transferable[]) => void, onEvent: (event: unknown) => void): Calls<T> {
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

/** Calls the api of one thread from another thread, through a port that `Thread.connect` has made. */
export function connectTo<T> (port: MessagePort): Connection<T> {
  const { remote, reply, end } = createCalls<T>((call, transfer) => { port.postMessage(call, transfer) }, () => {})
  port.on('message', reply)
  port.on('close', () => { end(new ThreadError('The other thread has ended', 'THREAD_ENDED')) })
  return { remote, close: () => { port.close() } }
}
