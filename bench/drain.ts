import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { DrainApi, DrainMode } from './children/drain.js'
import type { Database } from './database.js'
import type { Group, OpenVariant } from './measure.js'
import { withOther, type GroupOptions } from './relay.js'

/**
 * Measures how a backlog is drained to the file forwarder: against an append of the same bytes with as many syncs, and from PostgreSQL against
 * SQLite.
 */
export function drainGroups ({ children, directory, database, against }: GroupOptions): readonly Group[] {
  async function open (mode: DrainMode, build?: string, shared?: Awaited<ReturnType<Database['openSchema']>>): Promise<OpenVariant> {
    const child = children.start<DrainApi>('drain', build)
    await child.remote.open({ mode, folder: mkdtempSync(join(directory, 'drain-')), place: shared?.place })
    return {
      run: child.remote.run,
      async close () {
        await child.end()
        await shared?.drop()
      }
    }
  }

  return [{
    name: 'drain',
    connections: 1,
    baselines: ['plain append', 'pump'],
    variants: [
      { name: 'plain append', open: async () => await open('plain append') },
      ...withOther('pump', against, async (build) => await open('pump', build)),
      ...withOther('pump, PostgreSQL', against, async (build) => await open('pump', build, await database.openSchema()), database.leftOut)
    ]
  }]
}
