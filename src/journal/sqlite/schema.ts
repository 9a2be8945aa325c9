import { toText } from '../record.js'
import { connect, pragma, transaction, unlessDamaged, type Connection } from './database.js'

/** Marks the file as a database of tierhook: "thkj" in ASCII. */
export const APPLICATION_ID = 0x74686B6A

/**
 * One migration per schema version, beginning with an empty file. A migration that has been released is never changed.
 *
 * `hold`: the delivery's state. 0 accepted (never quarantined), 1 quarantined, 2 released from quarantine, 3 set aside because the record
 * is damaged, 4 erased: a tombstone with an empty body. Feeds read only accepted deliveries in order; released ones reach the
 * forwarders through `waiting`.
 * `forwarders.began`: the sequence after which the forwarder began. Deliveries up to it were never meant for the forwarder.
 * `forwarders.checksum`: of name and cursor, because a wrong cursor would skip deliveries for good. Null if a person inserted the row.
 * `forwarders.paused`: 1 if an operator has paused the forwarder.
 * `forwarders.filter`: the forwarder's filter, as last configured in the running service.
 * `waiting`: marks of deliveries that a forwarder's cursor has passed and that are not finished. `replay` is 0 for the first pass.
 * `replays.kind`: `replay`; `release` for deliveries released from quarantine, which are on their first pass; `forced` for a replay that
 * ignores the filter.
 * `event_start`, `event_end`: where in the body the event's own text is, in bytes. Earlier versions wrote them; new rows have null.
 * `attempts.outcome`: also `skipped`, by a filter, and `discarded`, by an operator. Those rows are not attempts: they say why there was none.
 * `waiting.behind`: 1 if a mark of the same lane is before this one, so that it is not due until that one is gone; otherwise 0. Triggers
 * keep it correct for every writer. `waiting_due` and `waiting_due_replays` index the marks that may be due, of the first pass and of replays.
 * `attempts_replay`: finds the attempts of a replay. When none is left, retention removes the replay's row.
 */
const migrations: readonly string[] = [`
  CREATE TABLE deliveries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    verdict TEXT NOT NULL,
    hold INTEGER NOT NULL,
    source_object TEXT,
    source_id TEXT,
    event_id TEXT,
    project_id TEXT,
    customer_id TEXT,
    campaign_id TEXT,
    duplicates INTEGER NOT NULL DEFAULT 0,
    faults TEXT,
    headers TEXT NOT NULL,
    body_bytes INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX deliveries_held ON deliveries (hold, sequence) WHERE hold <> 0;
  CREATE TABLE bodies (sequence INTEGER PRIMARY KEY, raw_body BLOB NOT NULL) STRICT;
  CREATE TABLE dedupe_keys (
    key TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    received_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dedupe_keys_age ON dedupe_keys (received_at);
  CREATE TABLE forwarders (
    name TEXT NOT NULL PRIMARY KEY,
    cursor INTEGER NOT NULL,
    began INTEGER NOT NULL DEFAULT 0,
    position TEXT,
    breaker TEXT NOT NULL DEFAULT 'closed',
    added_at INTEGER NOT NULL,
    checksum INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE waiting (
    forwarder TEXT NOT NULL,
    replay INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    lane TEXT,
    attempt INTEGER NOT NULL,
    waited_ms INTEGER NOT NULL,
    delay_ms INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (forwarder, replay, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX waiting_sequence ON waiting (sequence);
  CREATE TABLE dead_letters (
    forwarder TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    died_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (forwarder, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dead_letters_sequence ON dead_letters (sequence);
  CREATE TABLE attempts (
    sequence INTEGER NOT NULL,
    forwarder TEXT NOT NULL,
    replay INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX attempts_sequence ON attempts (sequence);
  CREATE TABLE replays (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    requested_at INTEGER NOT NULL,
    kind TEXT NOT NULL DEFAULT 'replay',
    description TEXT NOT NULL
  ) STRICT;
`, `
  CREATE INDEX attempts_replay ON attempts (replay) WHERE replay > 0;
`, `
  ALTER TABLE deliveries ADD COLUMN event_start INTEGER;
  ALTER TABLE deliveries ADD COLUMN event_end INTEGER;
`, `
  ALTER TABLE forwarders ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE forwarders ADD COLUMN filter TEXT;
`, `
  ALTER TABLE waiting ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX waiting_lane ON waiting (forwarder, lane, replay, sequence) WHERE lane IS NOT NULL;
  UPDATE waiting SET behind = 1 WHERE EXISTS (SELECT 1 FROM waiting e WHERE e.forwarder = waiting.forwarder AND e.lane = waiting.lane
    AND e.replay >= min(waiting.replay, 1) AND (e.replay, e.sequence) < (waiting.replay, waiting.sequence));
  CREATE INDEX waiting_due ON waiting (forwarder, due_at, sequence) WHERE behind = 0 AND replay = 0;
  CREATE INDEX waiting_due_replays ON waiting (forwarder, due_at, replay, sequence) WHERE behind = 0 AND replay > 0;
  CREATE TRIGGER waiting_comes AFTER INSERT ON waiting WHEN new.lane IS NOT NULL BEGIN
    UPDATE waiting SET behind = 1 WHERE forwarder = new.forwarder AND replay = new.replay AND sequence = new.sequence
      AND EXISTS (SELECT 1 FROM waiting e WHERE e.forwarder = new.forwarder AND e.lane = new.lane
        AND e.replay >= min(new.replay, 1) AND (e.replay, e.sequence) < (new.replay, new.sequence));
    UPDATE waiting SET behind = 1 WHERE behind = 0 AND (forwarder, replay, sequence) = (
      SELECT e.forwarder, e.replay, e.sequence FROM waiting e WHERE e.forwarder = new.forwarder AND e.lane = new.lane
        AND e.replay <= CASE new.replay WHEN 0 THEN 0 ELSE 9223372036854775807 END AND (e.replay, e.sequence) > (new.replay, new.sequence)
      ORDER BY e.replay, e.sequence LIMIT 1);
  END;
  CREATE TRIGGER waiting_goes AFTER DELETE ON waiting WHEN old.lane IS NOT NULL AND old.behind = 0 BEGIN
    UPDATE waiting SET behind = 0 WHERE behind = 1 AND (forwarder, replay, sequence) = (
      SELECT e.forwarder, e.replay, e.sequence FROM waiting e WHERE e.forwarder = old.forwarder AND e.lane = old.lane
        AND e.replay <= CASE old.replay WHEN 0 THEN 0 ELSE 9223372036854775807 END AND (e.replay, e.sequence) > (old.replay, old.sequence)
      ORDER BY e.replay, e.sequence LIMIT 1);
  END;
`]

export const SCHEMA_VERSION = migrations.length

/** The database belongs to a newer version of tierhook, or to another program. Nothing was changed in it. */
export class WrongDatabaseError extends Error {
  override readonly name = 'WrongDatabaseError'
  readonly code = 'WRONG_DATABASE'
}

/**
 * Migrates the database to a schema version, by default the current one. Each step is a transaction.
 * @throws {WrongDatabaseError}
 */
export function migrate (db: Connection, to = SCHEMA_VERSION): void {
  for (let next = schemaVersion(db); next < to; next++) {
    transaction(db, () => { db.exec(`${migrations[next] ?? ''}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${next + 1}`) })
  }
}

/**
 * Returns the database's schema version; 0 if it is empty. Changes nothing.
 * @throws {WrongDatabaseError}
 */
export function schemaVersion (db: Connection): number {
  const version = Number(pragma(db, 'user_version'))
  if (Number(pragma(db, 'application_id')) !== APPLICATION_ID && (version > 0 || hasTables(db))) {
    throw new WrongDatabaseError(`The database ${db.path} was not made by tierhook. Point DATA_DIR at a folder of its own.`)
  }
  if (version > SCHEMA_VERSION) {
    throw new WrongDatabaseError(`The database ${db.path} has schema version ${version}, and this tierhook knows versions up to ${SCHEMA_VERSION}. Start the newer tierhook that wrote it.`)
  }
  return version
}

/** Whether everything in the database's schema version is defined as it was made. Additional definitions are not damage. */
export function isSchemaWhole (db: Connection): boolean {
  const whole = connect(':memory:')
  try {
    migrate(whole, schemaVersion(db))
    const defined = unlessDamaged(() => definitionsIn(db), new Set())
    return [...definitionsIn(whole)].every((definition) => defined.has(definition))
  } finally {
    whole.close()
  }
}

function definitionsIn (db: Connection): ReadonlySet<string> {
  return new Set(db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master').all().map((row) => JSON.stringify(Object.values(toText(row)))))
}

function hasTables (db: Connection): boolean {
  return db.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get([]) !== undefined
}
