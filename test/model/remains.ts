import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { EVENT_FILE } from './file-lines.js'
import { readStored, type Stored } from './invariants.js'

/**
 * Leaves in `remains` what a kill leaves at this moment.
 * @param tear how much of what was written to the event file and not committed gets there, from 0 to 1
 */
export function leaveRemains (dataDir: string, remains: string, tear: number): void {
  mkdirSync(remains, { recursive: true })
  // The database first: what is copied later may only be further on, as the event file always is.
  const names = existsSync(dataDir) ? readdirSync(dataDir).sort((a, b) => Number(b.startsWith('tierhook.db')) - Number(a.startsWith('tierhook.db'))) : []
  for (const name of names) {
    // The event files must stay the files that they are: they are known by their inodes too. Nothing writes to them from now on.
    const keep = name.startsWith(EVENT_FILE) && !name.includes('beginning') ? linkSync : copyFileSync
    keep(join(dataDir, name), join(remains, name))
  }
  tearEventFile(remains, tear, readStored(dataDir))
}

/** Cuts off some of what stands in the event file behind what is committed, as a kill in the middle of a write leaves it. */
function tearEventFile (dataDir: string, tear: number, { forwarders }: Stored): void {
  const path = join(dataDir, EVENT_FILE)
  if (tear >= 1 || !existsSync(path)) return
  const position = forwarders.find(({ name }) => name === 'file')?.position ?? null
  const committed: { bytes: number, beginning: string } | undefined = position === null ? undefined : JSON.parse(position)
  const beginning: { bytes: number, id: string } | undefined = existsSync(`${path}.beginning`) ? JSON.parse(readFileSync(`${path}.beginning`, 'utf8')) : undefined
  const { size } = statSync(path)
  const from = committed !== undefined && (beginning === undefined || committed.beginning === beginning.id) ? committed.bytes : beginning?.bytes ?? size
  if (size > from) truncateSync(path, from + Math.floor(tear * (size - from)))
}
