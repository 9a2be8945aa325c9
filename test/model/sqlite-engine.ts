import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parseFilter } from '../../src/forwarders/delivery-filter.js'
import { connect } from '../../src/journal/sqlite/binding.js'
import { openSqliteOperator } from '../../src/journal/sqlite/operator.js'
import { isUsingFiles } from '../support/fake-time.js'
import { localThreads } from '../support/local-threads.js'
import { createWholeJournal } from '../support/whole-journal.js'
import { nothingStored, type ModelEngine, type StoredRows } from './engine.js'
import { statementFaults } from './statement-faults.js'

/** The engine on a real SQLite database. */
export const sqliteEngine: ModelEngine = {
  leases: false,
  prepare: async () => {},
  busy: () => undefined,

  create ({ dataDir, log: { logger }, time, dedupeWindowMs, retentionMs, faults, stall }) {
    const threads = localThreads(time.now)
    threads.beforeWrite = async (method) => {
      // What the disk has to do for the event file is done first, so that a run goes the same way each time.
      while (isUsingFiles()) await turn()
      if (method === 'commit') await stall.pass('before')
      faults.writing = true
    }
    threads.writeEnded = () => { faults.writing = false }
    threads.afterWrite = async (method) => { if (method === 'commit') await stall.pass('after') }
    const journal = createWholeJournal({ dataDir, logger, clock: time, dedupeWindowMs, retention: { maxAgeMs: retentionMs, maxBytes: 0 }, threads })
    return { journal, endStore: threads.endStore, kill: () => readStored(dataDir) }
  },

  openOperator: ({ dataDir, now }) => openSqliteOperator({ dataDir, judge: () => ({ verdict: 'valid', faults: [] }), parseFilter, now }),
  readStored,
  isStore: (file) => file.startsWith('tierhook.db'),
  faults: statementFaults
}

function readStored (dataDir: string): StoredRows {
  const path = join(dataDir, 'tierhook.db')
  if (!existsSync(path)) return nothingStored
  const db = connect(path, { lockTimeoutMs: 2000 })
  try {
    const all = <T>(sql: string): T[] => db.prepare(sql).all([]) as T[]
    if (all("SELECT 1 FROM sqlite_master WHERE name = 'replays'").length === 0) return nothingStored
    return {
      lastSequence: all<{ n: number }>('SELECT coalesce(max(sequence), 0) AS n FROM deliveries WHERE hold = 0')[0]?.n ?? 0,
      deliveries: all('SELECT sequence, id, hold, duplicates FROM deliveries ORDER BY sequence'),
      forwarders: all('SELECT name, cursor, began, position FROM forwarders'),
      waiting: all('SELECT forwarder, sequence, replay, (SELECT kind FROM replays WHERE number = replay) AS kind FROM waiting'),
      dead: all('SELECT forwarder, sequence FROM dead_letters')
    }
  } finally {
    db.close()
  }
}
