import type { Destination } from './destination.js'
import { networkReason } from './judge-answer.js'

/**
 * Connects to a destination as a request would, through the same proxy and with the same certificate checks, but sends nothing.
 * @throws the error that prevented the connection
 */
export async function tryConnection ({ dispatcher, origin, path }: Destination, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => { reject(new Error('There was no connection in time', { cause: signal.reason })) }
    signal.addEventListener('abort', aborted)
    if (signal.aborted) aborted()
    dispatcher.dispatch({ origin, path, method: 'HEAD' }, {
      // Called as soon as there is a connection, before anything is written to it.
      onRequestStart (controller) {
        resolve()
        controller.abort(new Error('It was only tried'))
      },
      onResponseError (_controller, error) { reject(new Error(networkReason(error), { cause: error })) }
    })
  })
}
