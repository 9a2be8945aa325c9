import { dirname } from 'node:path'
import { removeDraft } from '../copies/draft.js'
import { lockForSalvage } from '../data-lock.js'
import { openDraft } from '../database.js'
import { migrate } from '../schema.js'
import { copyRows } from './copy-rows.js'
import { openPages } from './pages.js'
import { settleCopies, type RememberedForwarder, type Settled } from './settle-copies.js'
import { draftPath, swap } from './swap-files.js'

export interface SalvageOptions {
  /** The greatest sequence that the running service knows; 0 at a start. */
  readonly above: number
  readonly remembered: readonly RememberedForwarder[]
  readonly now: () => number
}

export interface Salvaged extends Settled {
  /** Where the damaged database is kept. */
  readonly damagedFile: string
  readonly damagedPages: number
  /** Whether forwarders that are unknown now begin with the oldest delivery. */
  readonly forwardersLost: boolean
  readonly ms: number
}

/**
 * Copies all that can still be read in a damaged database into a new one, and sets the damaged one aside. Other processes wait to write
 * meanwhile. This process must have no connection open. Needs as much space on disk as the database, and little memory. After a crash
 * in between, there is either the old database or the complete new one.
 */
export function salvage (path: string, { above, remembered, now }: SalvageOptions): Salvaged {
  const startedAt = performance.now()
  const others = lockForSalvage(dirname(path))
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
