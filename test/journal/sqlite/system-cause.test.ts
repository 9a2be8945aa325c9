import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { addSystemCause, withSystemCause } from '../../../src/journal/sqlite/system-cause.js'
import { storageReason } from '../../../src/errors/storage-cause.js'
import { fillInodes, mountedFolder } from '../../support/small-disk.js'

const vague = (code = 'SQLITE_CANTOPEN'): Error => Object.assign(new Error('unable to open database file'), { code })

t.test('a vague error of SQLite gets the error of the system, and the probe leaves nothing behind', async (t) => {
  const folder = t.testdir({ 'tierhook.db': 'as it is', 'tierhook.db.trial': 'somebody else\'s' })
  const gone = addSystemCause(vague(), join(folder, 'gone', 'tierhook.db'))
  t.match(gone, { code: 'SQLITE_CANTOPEN', cause: { code: 'ENOENT' } })
  const well = addSystemCause(vague('SQLITE_IOERR'), join(folder, 'tierhook.db'))
  t.equal((well as Error).cause, undefined, 'no cause is added if the probe succeeds')
  t.strictSame(readdirSync(folder).sort(), ['tierhook.db', 'tierhook.db.trial'])
  t.throws(() => withSystemCause(join(folder, 'gone', 'tierhook.db'), () => { throw vague() }), { cause: { code: 'ENOENT' } })
})

t.test('a precise error is unchanged', async (t) => {
  const path = join(t.testdir(), 'gone', 'tierhook.db')
  const known = Object.assign(new Error('x', { cause: 'known' }), { code: 'SQLITE_IOERR' })
  for (const error of [vague('SQLITE_BUSY'), vague('SQLITE_FULL'), known, new Error('x'), 'x']) {
    const before = error instanceof Error ? error.cause : undefined
    t.equal(addSystemCause(error, path), error)
    if (error instanceof Error) t.equal(error.cause, before)
  }
})

t.test('a volume without inodes is recognised by creating a file', async (t) => {
  const folder = mountedFolder(t, 'size=8m,nr_inodes=8')
  if (folder === undefined) return t.comment('no right to mount a file system')
  writeFileSync(join(folder, 'tierhook.db'), '')
  fillInodes(folder)
  t.match(storageReason(addSystemCause(vague(), join(folder, 'tierhook.db'))), 'no inodes')
})
