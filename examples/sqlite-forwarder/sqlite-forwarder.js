// @ts-check: plain JavaScript needs no compiler, and the comments give it types.
import { resolve } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'

/** How long to wait for another process that writes, in milliseconds. */
const LOCK_TIMEOUT_MS = 2000

/**
 * Adds every delivery to a table of an SQLite database, exactly once: the delivery's id is the key, and it is the same on every attempt
 * and replay. From Node.js 24 on, `node:sqlite` has the same API and needs no package.
 *
 * Options: `path`, the file of the database, relative to the folder of the forwarders file.
 * @type {import('tierhook/forwarder').CreateForwarder}
 */
export const createForwarder = ({ path, ...others }, { folder, logger }) => {
  if (typeof path !== 'string' || path === '') throw new Error('the option path must name the database\'s file')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`the option ${unknown} is not known`)
  const file = resolve(folder, path)
  /**
   * Referenced here, because the library closes a database without a reference, even while its statements are in use.
   * @type {import('@photostructure/sqlite').DatabaseSyncInstance | undefined}
   */
  let db

  function open () {
    const opened = new DatabaseSync(file, { timeout: LOCK_TIMEOUT_MS })
    try {
      opened.exec(`CREATE TABLE IF NOT EXISTS tier_events (
        id TEXT PRIMARY KEY, received_at TEXT NOT NULL, event_type TEXT NOT NULL, verdict TEXT NOT NULL,
        customer_id TEXT, campaign_id TEXT, body BLOB NOT NULL
      ) STRICT`)
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  }

  return {
    // SQLite allows one writer at a time. One commit for many deliveries makes it fast.
    concurrency: 1,
    batchSize: 200,
    // In order, and never given up: whatever keeps one row from being written keeps all rows from being written.
    order: 'arrival',
    giveUpMs: Infinity,

    async start () {
      db = open()
      logger.info({ file }, 'database opened')
    },

    async forward (attempts, { signal }) {
      signal.throwIfAborted()
      const opened = db ??= open()
      const insert = opened.prepare('INSERT OR IGNORE INTO tier_events VALUES (?, ?, ?, ?, ?, ?, ?)')
      // If this throws, all attempts of the call have failed and come again.
      opened.exec('BEGIN IMMEDIATE')
      try {
        for (const { delivery } of attempts) insert.run(...rowOf(delivery))
        opened.exec('COMMIT')
      } catch (error) {
        if (opened.isTransaction) opened.exec('ROLLBACK')
        throw error
      }
      return { outcomes: attempts.map(() => ({ status: 'forwarded' })) }
    },

    async check () { open().close() },

    async close () {
      db?.close()
      db = undefined
    }
  }
}

/**
 * @param {import('tierhook/forwarder').Delivery} delivery
 * @returns {readonly unknown[]}
 */
function rowOf (delivery) {
  return [
    delivery.id,
    new Date(delivery.receivedAt).toISOString(),
    delivery.eventType,
    delivery.verdict,
    delivery.customerId,
    delivery.campaignId,
    // The bytes as they were received, so that nothing is lost by parsing.
    Buffer.from(delivery.rawBody)
  ]
}
