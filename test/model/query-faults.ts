import type { Fault, StatementFaults } from './engine.js'

/** What happens to a statement. `refused`: the server answers with an error of this code; `unreached`: the connection is lost before it gets there; `unanswered`: after it was carried out. */
export type QueryFault = { readonly type: 'refused', readonly code: string } | { readonly type: 'unreached' | 'unanswered' } | { readonly type: 'death', readonly tear: number }

export interface QueryFaults extends StatementFaults {
  /** To be asked before and after each statement that changes something. */
  readonly reach: (moment: 'before' | 'after', statement: { readonly text: string, readonly inTransaction: boolean }) => QueryFault | undefined
}

const DISK_FULL = '53100'
const CHANGES = /\.(?:append|withdraw|save|register|renew)_\d+\(|^(?:COMMIT|INSERT|UPDATE|DELETE|WITH gone)/

/** What of the faults of a disk a client of PostgreSQL meets. Torn pages and disks are the server's own: it is not taken apart here. */
export function queryFaults (): QueryFaults {
  let armed: { points: number, readonly fault: Fault | 'crash', readonly tear: number } | undefined
  return {
    writing: false,
    arm (fault, points, tear) { armed = { fault, points, tear } },
    disarm () { armed = undefined },
    unhook () {},

    reach (moment, { text, inTransaction }) {
      if (armed === undefined || !CHANGES.test(text) || --armed.points > 0) return undefined
      const { fault, tear } = armed
      if (fault !== 'crash' && (moment === 'after') !== (fault === 'lost')) return undefined
      // What is not committed is carried out by nobody.
      if (fault === 'lost' && inTransaction && text !== 'COMMIT') return undefined
      armed = undefined
      switch (fault) {
        case 'crash': return { type: 'death', tear }
        case 'full': return { type: 'refused', code: DISK_FULL }
        case 'io error': return { type: 'unreached' }
        case 'lost': return { type: 'unanswered' }
      }
    }
  }
}
