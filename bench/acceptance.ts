import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Child } from './child.js'
import type { DestinationApi } from './children/destination.js'
import type { LoadApi } from './children/load.js'
import type { ReceiverApi, ReceiverMode } from './children/receiver.js'
import type { SharedPlace } from './journal.js'
import type { Group, OpenVariant, Run } from './measure.js'
import { withOther, type GroupOptions } from './relay.js'

const CONNECTIONS = [1, 16, 64, 256]
const FLEET_CONNECTIONS = 64
const BASELINES: readonly ReceiverMode[] = ['bare Fastify', 'by hand, with fsync']
const CANDIDATES: readonly ReceiverMode[] = ['verify only', 'verify and validate', 'and journal', 'journal and log', 'journal and file', 'everything on', 'and http', 'and hanging http']
const SECRET = 'the-secret-of-the-bench'

interface ReceiversOptions {
  readonly mode: ReceiverMode
  readonly connections: number
  readonly build?: string | undefined
  /** The database of a service with this many replicas. */
  readonly shared?: { readonly place: SharedPlace, readonly replicas: number, readonly drop: () => Promise<void> }
}

/**
 * Measures how signed webhooks are accepted: against a bare server that parses the same bodies, against one that a team would write by hand, and
 * with PostgreSQL against SQLite.
 */
export function acceptanceGroups ({ children, directory, database, against }: GroupOptions): readonly Group[] {
  async function open ({ mode, connections, build, shared }: ReceiversOptions): Promise<OpenVariant> {
    const destination = children.start<DestinationApi>('destination')
    const { url } = await destination.remote.open({ hangs: mode === 'and hanging http' })
    const receivers = Array.from({ length: shared?.replicas ?? 1 }, () => children.start<ReceiverApi>('receiver', build))
    const opened = await Promise.all(receivers.map(async ({ remote }) => await remote.open({ mode, secret: SECRET, dataDir: mkdtempSync(join(directory, 'accept-')), place: shared?.place, destination: url })))
    const load = children.start<LoadApi>('load')
    return {
      async run (events) {
        await Promise.all(receivers.map(async ({ remote }) => { await remote.begin() }))
        const sent = await load.remote.run({ ports: opened.map(({ port }) => port), connections, events, secret: SECRET })
        return { ...sent, ...await usageOf(receivers) }
      },
      async close () {
        for (const { end } of [load, ...receivers, destination]) await end()
        await shared?.drop()
      }
    }
  }

  async function openShared (replicas: number, build?: string): Promise<OpenVariant> {
    return await open({ mode: 'everything on', connections: FLEET_CONNECTIONS, build, shared: { ...await database.openSchema(), replicas } })
  }

  const { leftOut } = database
  return [
    ...CONNECTIONS.map((connections): Group => ({
      name: 'accept',
      connections,
      baselines: BASELINES,
      variants: [
        ...BASELINES.map((mode) => ({ name: mode, open: async () => await open({ mode, connections }) })),
        ...CANDIDATES.flatMap((mode) => withOther(mode, against, async (build) => await open({ mode, connections, build })))
      ]
    })),
    {
      name: 'everything on',
      connections: FLEET_CONNECTIONS,
      baselines: ['SQLite', 'PostgreSQL'],
      variants: [
        { name: 'SQLite', open: async () => await open({ mode: 'everything on', connections: FLEET_CONNECTIONS }) },
        ...withOther('PostgreSQL', against, async (build) => await openShared(1, build), leftOut),
        ...withOther('PostgreSQL, two replicas', against, async (build) => await openShared(2, build), leftOut)
      ]
    }
  ]
}

/** Returns what all replicas used together. */
async function usageOf (receivers: ReadonlyArray<Child<ReceiverApi>>): Promise<Pick<Run, 'cpuMs' | 'peakBytes'>> {
  const usages = await Promise.all(receivers.map(async ({ remote }) => await remote.end()))
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  return { cpuMs: sum(usages.map(({ cpuMs }) => cpuMs)), peakBytes: sum(usages.map(({ peakBytes }) => peakBytes)) }
}
