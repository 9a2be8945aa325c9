// @ts-check: plain JavaScript runs on every Node.js as it is, and the comments give it its types.
import { resolve } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'

/** How long it waits for another process that writes, in milliseconds. */
const LOCK_TIMEOUT_MS = 2000

/**
 * Appends every delivery to a table of an SQLite database. From Node.js 24 on, `node:sqlite` has the same API and needs no package.
 * Each stands there once, whatever happens: the delivery's id is the key, and it is the same on every attempt and replay.
 *
 * Options: `path`, the database's file, from the folder of the forwarders file.
 * @type {import('tierhook/forwarder').CreateForwarder}
 */
export const createForwarder = ({ path, ...others }, { folder, logger }) => {
  if (typeof path !== 'string' || path === '') throw new Error('the option path must name the database\'s file')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`the option ${unknown} is not known`)
  const file = resolve(folder, path)
  /**
   * Kept here: the library closes a database that nothing refers to, also while its statements are in use.
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
    // One writer at a time is all that SQLite has; one commit for many deliveries is what makes it fast.
    concurrency: 1,
    batchSize: 200,
    // In order, and none is given up: what keeps one from being written keeps all.
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
      // What this throws is a failed attempt for all of them, and they come again.
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
    // The bytes as they came: a database may parse them, and the originals are still there.
    Buffer.from(delivery.rawBody)
  ]
}
