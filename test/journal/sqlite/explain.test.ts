import { join } from 'node:path'
import t from 'tap'
import { connect, openForWriting } from '../../../src/journal/sqlite/database.js'
import { explained } from '../../../src/journal/sqlite/explain.js'
import { migrate } from '../../../src/journal/sqlite/schema.js'

t.test('wrong SQL is not reported as damage, and a missing definition is', async (t) => {
  const path = join(t.testdir(), 'tierhook.db')
  const db = openForWriting(path)
  t.teardown(() => { db.close() })
  migrate(db)
  const ask = (sql: string) => () => explained(path, () => db.prepare(sql).all())
  t.throws(ask('SELECT no_such_column FROM forwarders'), { name: 'Error', code: 'SQLITE_ERROR', message: /no_such_column/ })
  const other = connect(path)
  other.exec('ALTER TABLE forwarders RENAME COLUMN cursor TO cursos')
  other.close()
  t.throws(ask('SELECT cursor FROM forwarders'), { name: 'StoreError', code: 'STORE_DAMAGED' })
})
