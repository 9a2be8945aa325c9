import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { DestinationApi } from './children/destination.js'
import type { LoadApi } from './children/load.js'
import type { ReceiverApi, ReceiverMode } from './children/receiver.js'
import type { Group, OpenVariant } from './measure.js'
import { withOther, type GroupOptions } from './relay.js'

const CONNECTIONS = [1, 16, 64, 256]
const BASELINES: readonly ReceiverMode[] = ['bare Fastify', 'by hand, with fsync']
const CANDIDATES: readonly ReceiverMode[] = ['verify only', 'verify and validate', 'and journal', 'journal and log', 'journal and file', 'everything on', 'and http', 'and hanging http']
const SECRET = 'the-secret-of-the-bench'

/** Accepting signed webhooks, against a bare server that parses the same bodies, and one that a team would write by hand. */
export function acceptanceGroups ({ children, directory, against }: GroupOptions): readonly Group[] {
  async function open (mode: ReceiverMode, connections: number, build?: string): Promise<OpenVariant> {
    const destination = children.start<DestinationApi>('destination')
    const { url } = await destination.remote.open({ hangs: mode === 'and hanging http' })
    const receiver = children.start<ReceiverApi>('receiver', build)
    const { port } = await receiver.remote.open({ mode, secret: SECRET, dataDir: mkdtempSync(join(directory, 'accept-')), destination: url })
    const load = children.start<LoadApi>('load')
    return {
      async run (events) {
        await receiver.remote.begin()
        const sent = await load.remote.run({ port, connections, events, secret: SECRET })
        return { ...sent, ...await receiver.remote.end() }
      },
      async close () {
        await load.end()
        await receiver.end()
        await destination.end()
      }
    }
  }

  return CONNECTIONS.map((connections) => ({
    name: 'accept',
    connections,
    baselines: BASELINES,
    variants: [
      ...BASELINES.map((name) => ({ name, open: async () => await open(name, connections) })),
      ...CANDIDATES.flatMap((name) => withOther(name, against, async (build) => await open(name, connections, build)))
    ]
  }))
}
