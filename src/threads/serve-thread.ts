import { parentPort, type MessagePort } from 'node:worker_threads'
import type { Call, Connect, Reply } from './remote.js'
import { errorFields } from './thread-error.js'

type Methods = Readonly<Record<string, (argument: unknown) => unknown>>

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
