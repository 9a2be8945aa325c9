import { open } from 'node:fs/promises'
import { readTailLines } from './tail-lines.js'

/** A part of a file that was written after what was committed last, from a place in bytes on, up to another or to the file's end. */
export interface FilePart {
  readonly path: string
  readonly from: number
  readonly to?: number
}

/** Which deliveries, by id, the forwarder has yet to finish, and so will be handed again. */
export type Unfinished = (ids: readonly string[]) => Promise<ReadonlySet<string>>

/** What a part was found to be. */
export interface JudgedPart extends FilePart {
  /**
   * - `empty`: nothing.
   * - `debris`: left by a crash. All of it comes again.
   * - `newer`: whole lines, of which none comes again: the database is an older one, or a new one.
   * - `unclear`: neither, or both.
   */
  readonly verdict: 'empty' | 'debris' | 'newer' | 'unclear'
  readonly lines: number
  readonly bytes: number
  /** Where its last line begins, in bytes, if that has no end. */
  readonly torn: number | undefined
}

/** No more lines than this are ever written and not committed: the dispatcher lets 256 calls go on, of 512 deliveries each. */
const UNCOMMITTED_LINES = 256 * 512

/**
 * Reads a part and tells what it is.
 * @param unfinished where it is absent, all that could be written without a commit is taken for debris
 */
export async function judgePart (part: FilePart, unfinished: Unfinished | undefined): Promise<JudgedPart> {
  const handle = await open(part.path, 'r')
  try {
    const size = part.to ?? (await handle.stat()).size
    let [lines, again, unreadable, end] = [0, 0, 0, part.from]
    for await (const { ids, next } of readTailLines(handle, part.from, size)) {
      // One uncommitted stretch does not explain more lines than these, whatever they are.
      if (lines < UNCOMMITTED_LINES) again += await countUnfinished(ids, unfinished)
      lines += ids.length
      unreadable += ids.filter((id) => id === undefined).length
      end = next
    }
    const torn = end < size ? end : undefined
    return { ...part, verdict: verdictOf(), lines, bytes: Math.max(0, size - part.from), torn }

    function verdictOf (): JudgedPart['verdict'] {
      if (size <= part.from) return 'empty'
      if (again === lines) return 'debris'
      return again === 0 && unreadable === 0 ? 'newer' : 'unclear'
    }
  } finally {
    await handle.close()
  }
}

async function countUnfinished (ids: ReadonlyArray<string | undefined>, unfinished: Unfinished | undefined): Promise<number> {
  if (unfinished === undefined) return ids.length
  const known = new Set(ids.filter((id) => id !== undefined))
  const found = known.size === 0 ? known : await unfinished([...known])
  return ids.filter((id) => id !== undefined && found.has(id)).length
}
