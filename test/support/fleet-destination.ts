import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** The share of answers that fail. */
const FAILING = 0.02

export interface FleetDestination {
  readonly url: string
  /** When each event first arrived, in monotonic time. */
  readonly arrivals: ReadonlyMap<string, number>
  readonly copies: () => number
  /** When a replica last sent something, in monotonic time. */
  readonly lastFrom: (replica: number) => number
}

/** Starts the destination of a fleet's http forwarder. It fails now and then. */
export async function startDestination (t: Pick<Test, 'teardown'>, random: () => number): Promise<FleetDestination> {
  const arrivals = new Map<string, number>()
  const lastFrom = new Map<number, number>()
  let copies = 0
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    lastFrom.set(Number(incoming.headers['x-replica']), performance.now())
    incoming.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    incoming.on('error', () => undefined)
    incoming.on('end', () => {
      if (random() < FAILING) return response.writeHead(500).end()
      const { event } = JSON.parse(Buffer.concat(chunks).toString()) as { event: { id: string } }
      if (arrivals.has(event.id)) copies++
      else arrivals.set(event.id, performance.now())
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrivals,
    copies: () => copies,
    lastFrom: (replica) => lastFrom.get(replica) ?? -Infinity
  }
}
