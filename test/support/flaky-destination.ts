import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const moods = ['well', 'failing', 'resetting', 'hanging', 'gone'] as const
export type Mood = typeof moods[number]

export interface FlakyDestination {
  readonly url: string
  readonly be: (mood: Mood) => Promise<void>
  readonly close: () => Promise<void>
}

/** Starts a server that answers according to its mood, or is gone, always at the same address. `onBody` is called with each accepted body. */
export async function flakyDestination (onBody: (body: string) => void): Promise<FlakyDestination> {
  let mood: Mood = 'well'
  let server: Server | undefined
  let port = 0

  function answer (body: string, response: ServerResponse): void {
    if (mood === 'failing') response.writeHead(500).end()
    else if (mood === 'resetting') response.socket?.resetAndDestroy()
    else if (mood !== 'hanging') {
      onBody(body)
      response.end()
    }
  }

  async function listen (): Promise<void> {
    const created = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => { body += chunk.toString() })
      // The sender was killed.
      request.on('error', () => {})
      request.on('end', () => { answer(body, response) })
    })
    await new Promise<void>((resolve, reject) => {
      created.once('error', reject)
      created.listen(port, '127.0.0.1', resolve)
    })
    port = (created.address() as AddressInfo).port
    server = created
  }

  async function stop (): Promise<void> {
    const stopped = server
    server = undefined
    if (stopped === undefined) return
    const closed = new Promise<void>((resolve) => { stopped.close(() => { resolve() }) })
    stopped.closeAllConnections()
    await closed
  }

  await listen()
  return {
    url: `http://127.0.0.1:${port}/`,
    async be (next) {
      mood = next
      if (next === 'gone') await stop()
      else if (server === undefined) await listen()
      else server.closeAllConnections()
    },
    close: stop
  }
}
