import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { AppendApi } from './children/append.js'
import type { JournalPlace } from './journal.js'
import type { Group, OpenVariant } from './measure.js'
import { withOther, type GroupOptions } from './relay.js'

const APPENDERS = 64

/** Measures appending to a journal without HTTP: PostgreSQL against SQLite. */
export function appendGroups ({ children, directory, database, against }: GroupOptions): readonly Group[] {
  async function open (place: JournalPlace, build?: string, drop?: () => Promise<void>): Promise<OpenVariant> {
    const child = children.start<AppendApi>('append', build)
    await child.remote.open({ place, appenders: APPENDERS })
    return {
      run: child.remote.run,
      async close () {
        await child.end()
        await drop?.()
      }
    }
  }

  return [{
    name: 'append',
    connections: APPENDERS,
    baselines: ['SQLite'],
    variants: [
      { name: 'SQLite', open: async () => await open({ kind: 'sqlite', folder: mkdtempSync(join(directory, 'append-')) }) },
      ...withOther('PostgreSQL', against, async (build) => {
        const { place, drop } = await database.openSchema()
        return await open(place, build, drop)
      }, database.leftOut)
    ]
  }]
}
