import { open } from 'node:fs/promises'
import { readTailLines } from './tail-lines.js'

/** Part of a file that was written after the last commit, between two places in bytes. Without `to`, the part reaches to the end of the file. */
export interface FilePart {
  readonly path: string
  readonly from: number
  readonly to?: number
}

/** Returns the ids of the deliveries that the forwarder has yet to finish. The forwarder will be handed these again. */
export type Unfinished = (ids: readonly string[]) => Promise<ReadonlySet<string>>

/** A part and the verdict on it. */
export interface JudgedPart extends FilePart {
  /**
   * - `empty`: no bytes.
   * - `debris`: lines left by a crash. All of them will be written again.
   * - `newer`: lines of ours, none of which will be written again. The database was restored from a backup, or is new.
   * - `unclear`: anything else.
   */
  readonly verdict: 'empty' | 'debris' | 'newer' | 'unclear'
  readonly lines: number
  readonly bytes: number
  /** Where the last line begins, in bytes, if it has no line break. */
  readonly torn: number | undefined
}

/** The most lines that can be written and not committed: the dispatcher lets 256 calls run, of 512 deliveries each. */
const UNCOMMITTED_LINES = 256 * 512

/**
 * Reads a part and judges it.
 * @param unfinished if absent, as many lines as can be uncommitted count as debris
 */
export async function judgePart (part: FilePart, unfinished: Unfinished | undefined): Promise<JudgedPart> {
  const handle = await open(part.path, 'r')
  try {
    const size = part.to ?? (await handle.stat()).size
    let [lines, again, unreadable, end] = [0, 0, 0, part.from]
    for await (const { ids, next } of readTailLines(handle, part.from, size)) {
      // A crash leaves no more uncommitted lines than this. Lines above the limit count as committed.
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
