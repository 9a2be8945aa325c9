import type { InspectedForwarder } from '../composition/inspect-forwarders.js'

/** Result of a try to reach a forwarder's destination; `unknown` if it cannot be tried. */
export type Connection =
  | { readonly status: 'ok' }
  | { readonly status: 'failed', readonly reason: string }
  | { readonly status: 'unknown' }

/** Tries all destinations at the same time, each for at most `limitMs` milliseconds, and closes the forwarders. */
export async function tryConnections (forwarders: readonly InspectedForwarder[], limitMs: number): Promise<readonly Connection[]> {
  return await Promise.all(forwarders.map(async ({ check, close }) => {
    try {
      return check === undefined ? { status: 'unknown' as const } : await tryOne(check, limitMs)
    } finally {
      await close()
    }
  }))
}

/** Runs one check for at most `limitMs` milliseconds. */
export async function tryOne (check: (signal: AbortSignal) => Promise<void>, limitMs: number): Promise<Connection> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  // A forwarder that ignores the signal must not delay the command.
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`there was no connection within ${limitMs} ms`)
      controller.abort(error)
      reject(error)
    }, limitMs)
  })
  try {
    await Promise.race([check(controller.signal), timeout])
    return { status: 'ok' }
  } catch (error) {
    return { status: 'failed', reason: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
