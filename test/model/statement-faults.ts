import { hookStatements } from '../support/statement-hook.js'

/** `lost`: the commit is on disk, and the answer says that it failed. */
export const faults = ['full', 'io error', 'lost'] as const
export type Fault = typeof faults[number]

/** Statements of the journal's writer that fail, or at which the process dies. */
export interface StatementFaults {
  /** Whether the writer is at work: what others do does not count. */
  writing: boolean
  /** From now on the writer's statements are counted, before and after each; at this one it happens. */
  readonly arm: (fault: Fault | 'crash', points: number, tear: number) => void
  readonly disarm: () => void
  /** Stands between the code and SQLite no longer. */
  readonly unhook: () => void
}

/** @param die what happens where the process dies */
export function statementFaults (die: (tear: number) => void): StatementFaults {
  let armed: { points: number, readonly fault: Fault | 'crash', readonly tear: number } | undefined
  const unhook = hookStatements((moment, sql, db) => {
    if (!all.writing || armed === undefined || --armed.points > 0) return
    const { fault, tear } = armed
    // What SQLite does not do: fail to take back; nor has a statement an effect that fails, but for a commit.
    if (fault !== 'crash' && sql.startsWith('ROLLBACK')) return
    if (fault !== 'crash' && (moment === 'after') !== (fault === 'lost')) return
    if (fault === 'lost' && sql !== 'COMMIT') return
    armed = undefined
    if (fault === 'crash') return die(tear)
    // As SQLite does where there is no room left.
    if (fault === 'full' && db?.isTransaction === true) db.exec('ROLLBACK')
    throw Object.assign(new Error(`${fault} ${moment} ${sql.slice(0, 20)}`), { code: fault === 'full' ? 'SQLITE_FULL' : 'SQLITE_IOERR_WRITE' })
  })
  const all: StatementFaults = {
    writing: false,
    arm (fault, points, tear) { armed = { fault, points, tear } },
    disarm () { armed = undefined },
    unhook
  }
  return all
}
