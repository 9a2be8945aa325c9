import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Children } from './child.js'
import type { DestinationApi } from './children/destination.js'
import type { RelayApi, RelayMode } from './children/relay.js'
import type { Database } from './database.js'
import type { Group, OpenVariant, Variant } from './measure.js'

export interface GroupOptions {
  readonly children: Children
  /** Where the folders for journals are made. */
  readonly directory: string
  readonly database: Database
  /** The compiled files of another state of the sources, to be measured beside this one. */
  readonly against: string | undefined
}

const CONNECTIONS = [1, 16, 64]
const BASELINES: readonly RelayMode[] = ['few headers', 'same headers']
const CANDIDATES: readonly RelayMode[] = ['forwarder', 'pump']

/** Measures how deliveries are relayed to a bare server: against a plain loop of the client library. */
export function relayGroups ({ children, directory, against }: GroupOptions): readonly Group[] {
  async function open (mode: RelayMode, connections: number, build?: string): Promise<OpenVariant> {
    const destination = children.start<DestinationApi>('destination')
    const { url } = await destination.remote.open({ hangs: false })
    const relay = children.start<RelayApi>('relay', build)
    await relay.remote.open({ mode, url, connections, dataDir: mkdtempSync(join(directory, 'relay-')) })
    return {
      run: relay.remote.run,
      async close () {
        await relay.end()
        await destination.end()
      }
    }
  }

  return CONNECTIONS.map((connections) => ({
    name: 'relay',
    connections,
    baselines: BASELINES,
    variants: [
      ...BASELINES.map((name) => ({ name, open: async () => await open(name, connections) })),
      ...CANDIDATES.flatMap((name) => withOther(name, against, async (build) => await open(name, connections, build)))
    ]
  }))
}

/** Returns a variant, and the same variant of the other state of the sources if there is one. */
export function withOther (name: string, against: string | undefined, open: (build?: string) => Promise<OpenVariant>, leftOut: string | false = false): readonly Variant[] {
  const variant = { name, open: async () => await open(), leftOut }
  return against === undefined ? [variant] : [{ name: `${name}, other`, open: async () => await open(against), leftOut }, variant]
}
