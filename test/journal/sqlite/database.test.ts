import t from 'tap'
import { inSnapshot, connect } from '../../../src/journal/sqlite/database.js'

t.test('a read that fails because of the disk reports the disk\'s error, not that its transaction is over', (t) => {
  const db = connect(':memory:')
  t.teardown(db.close)
  t.equal(inSnapshot(db, () => 1), 1)
  t.throws(() => inSnapshot(db, () => {
    // SQLite ends the transaction by itself (https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction).
    db.exec('ROLLBACK')
    throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' })
  }), { code: 'SQLITE_IOERR' })
  t.notOk(db.inTransaction())
  t.end()
})
