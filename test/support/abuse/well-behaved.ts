import { Agent } from 'node:http'
import { postEvent } from '../service-process.js'

export interface WellBehaved {
  /** The event ids that were acknowledged. */
  readonly acknowledged: readonly string[]
  /** How long each answer took, in milliseconds, in order of size. */
  readonly latencies: readonly number[]
  readonly faults: readonly string[]
}

const EVERY_MS = 20

/** Posts events at a steady pace, whether the last one is answered or not, until it is stopped. */
export function behaveWell (url: string): { readonly stop: () => Promise<WellBehaved> } {
  const agent = new Agent({ keepAlive: true })
  const acknowledged: string[] = []
  const latencies: number[] = []
  const faults: string[] = []
  const underWay = new Set<Promise<void>>()
  let count = 0

  async function post (eventId: string): Promise<void> {
    try {
      const { status, ms, body } = await postEvent(url, eventId, agent)
      latencies.push(ms)
      if (status === 202) acknowledged.push(eventId)
      else if (status !== 503) faults.push(`an event was answered ${status}: ${body}`)
    } catch (error) {
      faults.push(`an event was not answered: ${String(error)}`)
    }
  }

  const pace = setInterval(() => {
    const posted = post(`good-${++count}`).finally(() => { underWay.delete(posted) })
    underWay.add(posted)
  }, EVERY_MS)

  return {
    async stop () {
      clearInterval(pace)
      await Promise.all(underWay)
      agent.destroy()
      return { acknowledged, latencies: latencies.sort((one, other) => one - other), faults }
    }
  }
}
