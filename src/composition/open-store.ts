import { systemClock } from '../delivery/clock.js'
import type { Operator } from '../delivery/operator.js'
import type { Person } from '../delivery/operator-requests.js'
import { parseFilter } from '../forwarders/delivery-filter.js'
import type { BackedUp, BackupOptions } from '../journal/sqlite/copies/backup.js'
import type { Restored, RestoreOptions } from '../journal/sqlite/copies/restore.js'
import { rememberErasures } from '../journal/sqlite/erase/erasures-file.js'
import { hasLeftOvers } from '../journal/sqlite/erase/left-overs.js'
import { digestOf } from '../journal/traces.js'
import { withAllObservations } from '../journal/postgres/observations.js'
import { openPostgresOperator } from '../journal/postgres/operator.js'
import { openSqliteOperator } from '../journal/sqlite/operator.js'
import { addToActionList } from '../admin-api/action-list-file.js'
import { askForDriftReset, isDriftResetAskedFor } from '../sender-watch/drift-reset.js'
import { createDrift } from '../sender-watch/drift.js'
import { readKept } from '../sender-watch/keep-observations.js'
import { readObservations } from '../sender-watch/observations-file.js'
import type { RecordedAction } from '../admin-api/operator-action.js'
import { reportDrift } from '../sender-watch/report.js'
import type { Drift } from '../sender-watch/reports.js'
import { createJudge } from '../voucherify/judge.js'

export { checkDatabase } from '../journal/postgres/check-database.js'
export type { Drift as DriftReport } from '../sender-watch/reports.js'
export type { OperatorAction, RecordedAction } from '../admin-api/operator-action.js'
export type { CopyProgress } from '../journal/sqlite/copies/check-copy.js'
export type { BackedUp, BackupOptions, Restored, RestoreOptions }

/** Backs up and restores the store in a data folder. Failures are `StoreError`s. */
export const storeCopies = {
  backUp: async (options: BackupOptions): Promise<BackedUp> => await (await import('../journal/sqlite/copies/backup.js')).backUp(options),
  restore: async (options: RestoreOptions): Promise<Restored> => await (await import('../journal/sqlite/copies/restore.js')).restore(options)
}

/** What an erasure needs besides the store itself. */
export const storeErasures = {
  personOf: (by: Person['by'], value: string): Person => ({ by, digest: digestOf(value) }),
  remember: ({ dataDir, people }: { readonly dataDir: string, readonly people: readonly Person[] }): void => { rememberErasures(dataDir, people, systemClock.now()) },
  hasLeftOvers: ({ dataDir, values }: { readonly dataDir: string, readonly values: readonly string[] }): boolean => hasLeftOvers(dataDir, values)
}

/** The list of what operators did in a data folder. */
export const storeActions = {
  add: ({ dataDir, action }: { readonly dataDir: string, readonly action: RecordedAction }): void => { addToActionList(dataDir, action) }
}

/** The place of a store: a data folder, or a database that replicas share. If `journal` is given, the store is in that database. */
export interface StorePlace {
  readonly dataDir: string
  readonly journal?: { readonly url: string, readonly schema: string } | undefined
}

/**
 * Opens the store for operator commands. Works while a service runs and while none runs.
 * @throws {StoreError}
 */
export function openOperator ({ dataDir, journal }: StorePlace): Operator {
  if (journal !== undefined) return openPostgresOperator({ ...journal, judge: createJudge(), parseFilter })
  return openSqliteOperator({ dataDir, judge: createJudge(), parseFilter, now: systemClock.now })
}

/**
 * Returns how signed events differed from their schemas, as services last stored it in the data folder or the database. The services need not
 * run. `undefined` if nothing is stored yet.
 * @throws if what is stored cannot be read
 */
export async function readDrift ({ dataDir, journal }: StorePlace): Promise<Drift | undefined> {
  if (journal !== undefined) {
    const all = readKept(await withAllObservations(journal, async ({ read }) => await read()), () => { /* Observations that cannot be read are left out. */ })
    const drift = createDrift({ now: systemClock.now })
    for (const each of all) drift.restore(each.drift)
    return all.length === 0 ? undefined : reportDrift(drift.report())
  }
  const observations = await readObservations(dataDir)
  if (observations === undefined) return undefined
  return await isDriftResetAskedFor(dataDir) ? { differences: [], dropped: 0 } : reportDrift(observations.drift)
}

/**
 * Asks the services of a data folder or a database to forget the drift seen so far. The services need not run. Returns `false` if no service has
 * stored any observations there.
 * @throws if the request cannot be stored
 */
export async function resetDrift ({ dataDir, journal }: StorePlace): Promise<boolean> {
  if (journal !== undefined) {
    await withAllObservations(journal, async ({ resetDrift }) => { await resetDrift() })
    return true
  }
  if (await readObservations(dataDir) === undefined) return false
  await askForDriftReset(dataDir)
  return true
}
