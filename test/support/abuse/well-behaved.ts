import { Agent } from 'node:http'
import { postEvent } from '../service-process.js'

export interface WellBehaved {
  /** The ids of acknowledged events. */
  readonly acknowledged: readonly string[]
  /** How long each answer took, in milliseconds, sorted. */
  readonly latencies: readonly number[]
  readonly faults: readonly string[]
}

const EVERY_MS = 20

/** Posts events at a steady pace until it is stopped, whether earlier ones are answered or not. */
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
