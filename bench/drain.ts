import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { DrainApi, DrainMode } from './children/drain.js'
import type { Group, OpenVariant } from './measure.js'
import { withOther, type GroupOptions } from './relay.js'

const BASELINE: DrainMode = 'plain append'

/** Draining a backlog to the file forwarder, against an append of the same bytes with as many syncs. */
export function drainGroups ({ children, directory, against }: GroupOptions): readonly Group[] {
  async function open (mode: DrainMode, build?: string): Promise<OpenVariant> {
    const child = children.start<DrainApi>('drain', build)
    await child.remote.open({ mode, folder: mkdtempSync(join(directory, 'drain-')) })
    return { run: child.remote.run, close: child.end }
  }

  return [{
    name: 'drain',
    connections: 1,
    baselines: [BASELINE],
    variants: [
      { name: BASELINE, open: async () => await open(BASELINE) },
      ...withOther('pump', against, async (build) => await open('pump', build))
    ]
  }]
}
