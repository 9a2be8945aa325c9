import { constants } from 'node:os'
import t from 'tap'
import { isForbidden, isLocked, storageCause, storageFields, storageReason, explainNoSpace, explainNoInodes } from '../../src/errors/storage-cause.js'
import { systemCode } from '../../src/errors/system-code.js'

function failure (code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code })
}

t.test('each code has its cause, and the innermost known code counts', async (t) => {
  const cases = [
    [failure('SQLITE_FULL'), 'the disk is full'],
    [failure('SQLITE_BUSY'), 'another program holds the database locked'],
    [failure('SQLITE_LOCKED'), 'another program holds the database locked'],
    [failure('SQLITE_IOERR'), 'the disk fails'],
    [failure('SQLITE_IOERR', failure('EDQUOT')), 'the disk quota is used up'],
    [failure('SQLITE_CANTOPEN', failure('EACCES')), 'tierhook has no right to write there'],
    [failure('SQLITE_CANTOPEN', failure('EMFILE')), 'too many files are open'],
    [failure('SQLITE_READONLY', failure('EROFS')), 'the file system is read-only'],
    [failure('SQLITE_IOERR_LOCK'), 'the file system cannot lock files'],
    [failure('SQLITE_IOERR', new Error('of no code')), 'the disk fails'],
    [failure('DATA_FOLDER_NOT_WRITABLE', failure('ENOENT')), 'the data folder cannot be made or written to'],
    [{ message: 'as it comes from a thread', code: 'SQLITE_FULL' }, 'the disk is full'],
    [new TypeError('a defect'), 'tierhook failed: its log says how'],
    [failure('toString'), 'tierhook failed: its log says how'],
    [undefined, 'tierhook failed: its log says how']
  ] as const
  for (const [error, reason] of cases) t.equal(storageReason(error), reason)
  t.match(storageFields(failure('SQLITE_BUSY')), { reason: /another program/, advice: /fuser/ })
  t.strictSame(storageFields(new Error('x')), {})
  t.ok(isLocked(failure('SQLITE_BUSY')))
  t.notOk(isLocked(undefined))
  t.ok(isForbidden(failure('SQLITE_CANTOPEN', failure('EPERM'))))
})

t.test('a start waits for causes that may pass by themselves, and not for those that a person must repair', async (t) => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS', 'SQLITE_BUSY', 'SQLITE_IOERR', 'EMFILE', 'ESTALE']) t.equal(storageCause(failure(code))?.atStart, 'wait', code)
  for (const code of ['EACCES', 'EPERM', 'DATA_FOLDER_NOT_WRITABLE', 'DATA_FOLDER_IN_USE', 'WRONG_DATABASE']) t.equal(storageCause(failure(code))?.atStart, 'end', code)
})

t.test('an exceeded quota and a stale network file, which Node has no names for, are recognised by their numbers', async (t) => {
  const unnamed = (errno: number, code = 'UNKNOWN'): Error => Object.assign(new Error('UNKNOWN: unknown error, write'), { code, errno })
  t.equal(systemCode(unnamed(-constants.errno.EDQUOT)), 'EDQUOT')
  t.equal(systemCode(unnamed(-constants.errno.ESTALE, 'Unknown system error -116')), 'ESTALE')
  t.equal(systemCode(unnamed(-99_999)), 'UNKNOWN')
  t.equal(systemCode(failure('UNKNOWN')), 'UNKNOWN')
  t.equal(systemCode(new Error('x')), undefined)
  t.equal(systemCode('x'), undefined)
  t.equal(storageReason(unnamed(-constants.errno.EDQUOT)), 'the disk quota is used up')
})

t.test('a disk without inodes is told apart from a full one', async (t) => {
  const opening = Object.assign(failure('ENOSPC'), { syscall: 'open' })
  const reason = (error: NodeJS.ErrnoException, files: number, ffree: number, bavail: number): string => storageReason(explainNoInodes(error, { files, ffree, bavail }))
  t.match(reason(opening, 100, 0, 50), 'no inodes')
  t.equal(reason(opening, 100, 0, 0), 'the disk is full', 'on file systems that make inodes from free space, no inodes means no space')
  t.equal(reason(opening, 100, 1, 50), 'the disk is full')
  t.equal(reason(opening, 0, 0, 50), 'the disk is full', 'on file systems that report no number of inodes')
  t.equal(reason(Object.assign(failure('ENOSPC'), { syscall: 'write' }), 100, 0, 50), 'the disk is full')
  t.equal(reason(failure('EIO'), 100, 0, 50), 'the disk fails')
  t.equal(storageReason(await explainNoSpace(opening, '/nowhere/at/all')), 'the disk is full')
  t.equal(await explainNoSpace('x', '/'), 'x')
})
