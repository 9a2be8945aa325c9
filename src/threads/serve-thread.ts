import { parentPort, type MessagePort } from 'node:worker_threads'
import type { Call, Connect, Reply } from './remote.js'
import { errorFields } from './thread-error.js'

type Methods = Readonly<Record<string, (argument: unknown) => unknown>>

/**
 * Runs in a thread: answers calls of the main thread, and of threads that it connects, with the methods of `api`. After the main thread has
 * called `close`, the thread can end.
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

/** Runs in a thread: sends an event to the main thread. The event must be something that `postMessage` can clone. */
export function emitToMain (event: unknown): void {
  parentPort?.postMessage({ event } satisfies Reply)
}
