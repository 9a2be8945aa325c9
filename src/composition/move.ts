import { isDeepStrictEqual } from 'node:util'
import { StoreError } from '../delivery/operator.js'
import { toStoreError } from '../journal/postgres/operator.js'
import { databasePath } from '../journal/sqlite/database.js'
import { explained } from '../journal/sqlite/explain.js'
import { makeFolder, openFolder } from './move-folder.js'
import { makeShared, openShared } from './move-shared.js'
import { TABLES, type Row, type Side, type Table, type Value } from './move-sides.js'
import type { CopyProgress } from './open-store.js'

/** The place of a store: a data folder, or a schema of a PostgreSQL database. */
export type MovePlace = { readonly dataDir: string } | { readonly url: string, readonly schema: string }

export interface MoveOptions {
  readonly from: MovePlace
  readonly to: MovePlace
  readonly onProgress?: (progress: CopyProgress) => void
  readonly signal?: AbortSignal
}

export interface Moved {
  readonly deliveries: number
  /** The new name of the store that was moved from. */
  readonly left: string
}

const PAGE = 500

/**
 * Copies a journal with the forwarders' progress to another place and compares both row by row. Only then does it make the new store usable and
 * rename the old one. If it is stopped before that, the old store is unchanged, and the next move starts over.
 * @throws {StoreError}
 */
export async function moveStore (options: MoveOptions): Promise<Moved> {
  try {
    return await moveBetween(options)
  } catch (error) {
    const folder = [options.from, options.to].find((place) => 'dataDir' in place)
    return explained(databasePath(folder?.dataDir ?? ''), () => { throw toStoreError(error, 'The PostgreSQL database') })
  }
}

async function moveBetween ({ from, to, ...options }: MoveOptions): Promise<Moved> {
  if ('dataDir' in from === 'dataDir' in to) throw new StoreError('WRONG_STORE', 'A move goes from a data folder to a PostgreSQL database, or back')
  const source = 'dataDir' in from ? await openFolder(from.dataDir) : await openShared(from)
  try {
    const target = 'dataDir' in to ? await makeFolder(to.dataDir) : await makeShared(to)
    try {
      await copyAll(source.side, target.side, options)
      await compareAll(source.side, target.side, options)
      await target.publish()
      return { deliveries: await source.side.count(TABLES[0] as Table), left: await source.leave() }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyAll (source: Side, target: Side, options: Pick<MoveOptions, 'onProgress' | 'signal'>): Promise<void> {
  await eachPage(source, 'copying', options, async (table, rows) => { await target.write(table, rows) })
  await target.setCounters(await source.counters())
}

async function compareAll (source: Side, target: Side, options: Pick<MoveOptions, 'onProgress' | 'signal'>): Promise<void> {
  const places = new Map<string, readonly Value[]>()
  await eachPage(source, 'checking', options, async (table, rows) => {
    const found = await target.read(table, places.get(table.name), rows.length)
    if (!isDeepStrictEqual(found.map(([row]) => row), rows)) throw new StoreError('STORE_DAMAGED', `The copy differs from what was copied, in ${table.name}: move it again`)
    const last = found.at(-1)
    if (last !== undefined) places.set(table.name, last[1])
  })
  for (const table of TABLES) if (await source.count(table) !== await target.count(table)) throw new StoreError('STORE_DAMAGED', `The copy has more than what was copied, in ${table.name}: move it again`)
}

async function eachPage (side: Side, phase: CopyProgress['phase'], { onProgress, signal }: Pick<MoveOptions, 'onProgress' | 'signal'>, work: (table: Table, rows: readonly Row[]) => Promise<void>): Promise<void> {
  let of = 0
  for (const table of TABLES) of += await side.count(table)
  let done = 0
  for (const table of TABLES) {
    for (let after: readonly Value[] | undefined; ;) {
      signal?.throwIfAborted()
      const page = await side.read(table, after, PAGE)
      const last = page.at(-1)
      if (last === undefined) break
      await work(table, page.map(([row]) => row))
      after = last[1]
      done += page.length
      onProgress?.({ phase, done, of })
    }
  }
}
