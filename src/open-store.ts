import { systemClock } from './delivery/clock.js'
import type { Operator, Person } from './delivery/operator.js'
import { parseFilter } from './forwarders/delivery-filter.js'
import { backUp, type BackedUp, type BackupOptions } from './journal/sqlite/copies/backup.js'
import { restore, type Restored, type RestoreOptions } from './journal/sqlite/copies/restore.js'
import { rememberErasures } from './journal/sqlite/erase/erasures-file.js'
import { hasLeftOvers } from './journal/sqlite/erase/left-overs.js'
import { digestOf } from './journal/sqlite/erase/traces.js'
import { openSqliteOperator } from './journal/sqlite/operator.js'
import { readObservations } from './operations/observations-file.js'
import { reportDrift } from './operations/report.js'
import type { Drift } from './operations/reports.js'
import { createJudge } from './voucherify/judge.js'

export type { Drift as DriftReport } from './operations/reports.js'
export type { CopyOptions, CopyProgress } from './journal/sqlite/copies/copy-progress.js'
export type { BackedUp, BackupOptions, Restored, RestoreOptions }

/** Makes and takes back copies of the store in a data folder; what goes wrong is a `StoreError`. */
export const storeCopies = { backUp, restore }

/** What an erasure needs beside the store itself. */
export const storeErasures = {
  personOf: (by: Person['by'], value: string): Person => ({ by, digest: digestOf(value) }),
  remember: ({ dataDir, people }: { readonly dataDir: string, readonly people: readonly Person[] }): void => { rememberErasures(dataDir, people, systemClock.now()) },
  hasLeftOvers: ({ dataDir, values }: { readonly dataDir: string, readonly values: readonly string[] }): boolean => hasLeftOvers(dataDir, values)
}

/**
 * Opens the store in a data folder for people's commands, beside a running service or without one.
 * @throws {StoreError}
 */
export function openOperator ({ dataDir }: { readonly dataDir: string }): Operator {
  return openSqliteOperator({ dataDir, judge: createJudge(), parseFilter, now: systemClock.now })
}

/**
 * In which ways authentic events differed from their schemas, as the service noted it last in its data folder, whether it
 * runs or not; `undefined` where it has noted nothing yet.
 * @throws where the note can't be read
 */
export async function readDrift ({ dataDir }: { readonly dataDir: string }): Promise<Drift | undefined> {
  const observations = await readObservations(dataDir)
  return observations === undefined ? undefined : reportDrift(observations.drift)
}
