import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelEngine, StoredRows } from './engine.js'
import { EVENT_FILE } from './file-lines.js'

/**
 * Leaves in `remains` what a kill leaves at this moment.
 * @param stored what the store holds then
 * @param tear how much of what was written to the event file and not committed gets there, from 0 to 1
 */
export function leaveRemains ({ isStore }: ModelEngine, { dataDir, remains, stored, tear }: { readonly dataDir: string, readonly remains: string, readonly stored: StoredRows, readonly tear: number }): void {
  mkdirSync(remains, { recursive: true })
  // The store first: what is copied later may only be further on, as the event file always is.
  const names = existsSync(dataDir) ? readdirSync(dataDir).sort((a, b) => Number(isStore(b)) - Number(isStore(a))) : []
  for (const name of names) {
    // The event files must stay the files that they are: they are known by their inodes too. Nothing writes to them from now on.
    const keep = name.startsWith(EVENT_FILE) && !name.includes('beginning') ? linkSync : copyFileSync
    keep(join(dataDir, name), join(remains, name))
  }
  tearEventFile(remains, tear, stored)
}

/** Cuts off some of what stands in the event file behind what is committed, as a kill in the middle of a write leaves it. */
function tearEventFile (dataDir: string, tear: number, { forwarders }: StoredRows): void {
  const path = join(dataDir, EVENT_FILE)
  if (tear >= 1 || !existsSync(path)) return
  const position = forwarders.find(({ name }) => name === 'file')?.position ?? null
  const committed: { bytes: number, beginning: string } | undefined = position === null ? undefined : JSON.parse(position)
  const { dev, ino, size } = statSync(path, { bigint: true })
  const noted: { bytes: number, id: string, inode: string } | undefined = existsSync(`${path}.beginning`) ? JSON.parse(readFileSync(`${path}.beginning`, 'utf8')) : undefined
  // One that a rotation has left is of another file.
  const beginning = noted?.inode === `${dev}:${ino}` ? noted : undefined
  const from = committed !== undefined && (beginning === undefined || committed.beginning === beginning.id) ? committed.bytes : beginning?.bytes ?? Number(size)
  if (size > from) truncateSync(path, from + Math.floor(tear * (Number(size) - from)))
}
