import { dirname } from 'node:path'
import { removeDraft } from '../copies/draft.js'
import { keepOthersOut } from '../data-lock.js'
import { openDraft } from '../database.js'
import { migrate } from '../schema.js'
import { copyRows } from './copy-rows.js'
import { openPages } from './pages.js'
import { settleCopies, type RememberedForwarder, type Settled } from './settle-copies.js'
import { draftPath, swap } from './swap-files.js'

export interface SalvageOptions {
  /** What the running service knows; nothing at a start. */
  readonly above: number
  readonly remembered: readonly RememberedForwarder[]
  readonly now: () => number
}

export interface Salvaged extends Settled {
  /** Where the damaged database is kept. */
  readonly damagedFile: string
  readonly damagedPages: number
  /** Whether forwarders that are not known any more begin with the oldest delivery. */
  readonly forwardersLost: boolean
  readonly ms: number
}

/**
 * Makes a new database of all that can still be read in a damaged one, and sets that aside. Other processes that write wait meanwhile; no
 * connection of this one may be open.
 * Needs as much room as the database takes, and little memory. A crash on the way leaves the old one or the whole new one.
 */
export function salvage (path: string, { above, remembered, now }: SalvageOptions): Salvaged {
  const startedAt = performance.now()
  const others = keepOthersOut(dirname(path))
  try {
    removeDraft(draftPath(path))
    const { copied, settled } = copyInto(path, { above, remembered, now })
    const damagedFile = swap(path, new Date(now()))
    return { ...settled, damagedFile, damagedPages: copied.damagedPages, forwardersLost: copied.forwardersLost, ms: Math.round(performance.now() - startedAt) }
  } catch (error) {
    removeDraft(draftPath(path))
    throw error
  } finally {
    others.release()
  }
}

function copyInto (path: string, { above, remembered, now }: SalvageOptions) {
  const pages = openPages(path)
  const db = openDraft(draftPath(path))
  try {
    migrate(db)
    const copied = copyRows(pages, db)
    return { copied, settled: settleCopies(db, { copied, above, remembered, now: now() }) }
  } finally {
    db.close()
    pages.close()
  }
}
