import { hookStatements } from '../support/statement-hook.js'
import type { Fault, StatementFaults } from './engine.js'

/** @param die what happens where the process dies */
export function statementFaults (die: (tear: number) => unknown): StatementFaults {
  let armed: { points: number, readonly fault: Fault | 'crash', readonly tear: number } | undefined
  const unhook = hookStatements((moment, sql, db) => {
    if (!all.writing || armed === undefined || --armed.points > 0) return
    const { fault, tear } = armed
    // What SQLite does not do: fail to take back; nor has a statement an effect that fails, but for a commit.
    if (fault !== 'crash' && sql.startsWith('ROLLBACK')) return
    if (fault !== 'crash' && (moment === 'after') !== (fault === 'lost')) return
    if (fault === 'lost' && sql !== 'COMMIT') return
    armed = undefined
    if (fault === 'crash') {
      die(tear)
      return
    }
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
