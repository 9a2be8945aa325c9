import { statfs } from 'node:fs/promises'
import { systemCode } from './system-code.js'

/** Why something can't be stored, and what to do about it. */
export interface StorageCause {
  /** What was seen, as half a sentence. It goes to the sender too, so it names no path. */
  readonly reason: string
  /** What the operator is to do. */
  readonly advice: string
  /**
   * What a start does about it. `wait`: it may pass by itself, so the service starts and answers 503 until it has. `end`: somebody has to change
   * how tierhook is set up.
   */
  readonly atStart: 'wait' | 'end'
}

/** The code of an `ENOSPC` that is not for want of room: the system has one code for both. */
const NO_INODES = 'NO_INODES'

const full: StorageCause = {
  reason: 'the disk is full', advice: 'make room on the disk of the data folder, or lower RETENTION_MAX_BYTES; it goes on by itself', atStart: 'wait'
}
const noInodes: StorageCause = {
  reason: 'the disk takes no more files: it has no inodes left', advice: 'remove files from the file system of the data folder (df -i), or make it anew with more inodes; it goes on by itself', atStart: 'wait'
}
const quota: StorageCause = {
  reason: 'the disk quota is used up', advice: 'raise the quota of the user that tierhook runs as, or remove files of that user; it goes on by itself', atStart: 'wait'
}
const readOnly: StorageCause = {
  reason: 'the file system is read-only', advice: 'mount the data folder so that it can be written to; if it was, the kernel\'s log says why it is not any more', atStart: 'wait'
}
const forbidden: StorageCause = {
  reason: 'tierhook has no right to write there', advice: 'let the user that tierhook runs as write to the data folder and to every file in it', atStart: 'end'
}
const locked: StorageCause = {
  reason: 'another program holds the database locked', advice: 'end that program, or its transaction: "fuser tierhook.db" in the data folder tells which one has it open', atStart: 'wait'
}
const noLocks: StorageCause = {
  reason: 'the file system cannot lock files', advice: 'put the data folder on a local disk: many network file systems cannot lock files as a database needs it', atStart: 'wait'
}
const gone: StorageCause = {
  reason: 'a file or its folder is not there', advice: 'put the data folder back in its place, or stop the service, look at the folder, and start it again', atStart: 'wait'
}
const unreachable: StorageCause = {
  reason: 'the disk cannot be reached', advice: 'look at the disk or the network file system of the data folder', atStart: 'wait'
}
const handles: StorageCause = {
  reason: 'too many files are open', advice: 'raise the limit of open files of the process or of the machine (ulimit -n)', atStart: 'wait'
}
const tooLarge: StorageCause = {
  reason: 'a file may not grow any further', advice: 'raise the limit of the size of files (ulimit -f), or use a file system that takes larger ones', atStart: 'wait'
}
const memory: StorageCause = {
  reason: 'there is not enough memory', advice: 'give the process more memory', atStart: 'wait'
}
const failing: StorageCause = {
  reason: 'the disk fails', advice: 'look at the health of the disk and at the kernel\'s log', atStart: 'wait'
}
const unreadable: StorageCause = {
  reason: 'the database cannot be opened', advice: 'look at the data folder and at the files in it', atStart: 'wait'
}
const unwritable: StorageCause = {
  reason: 'the database cannot be written to', advice: 'look at the data folder and at the files in it', atStart: 'wait'
}
const damaged: StorageCause = {
  reason: 'the database is damaged, and is being mended', advice: 'wait; the log tells what was lost', atStart: 'end'
}
const replaced: StorageCause = {
  reason: 'files of the data folder were removed or replaced while the service runs', advice: 'put the same files back, or stop the service, look at its data folder, and start it again', atStart: 'wait'
}
const inUse: StorageCause = {
  reason: 'another tierhook serves the data folder', advice: 'stop the other one, or give this one a DATA_DIR of its own', atStart: 'end'
}
const wrong: StorageCause = {
  reason: 'the database is of another program, or of a newer tierhook', advice: 'point DATA_DIR at a folder of its own, or start the newer tierhook', atStart: 'end'
}
const unusable: StorageCause = {
  reason: 'the data folder cannot be made or written to', advice: 'let the user that tierhook runs as make the data folder and write to it, or set DATA_DIR to another folder', atStart: 'end'
}
const threadEnded: StorageCause = {
  reason: 'a part of tierhook has failed, and is being started anew', advice: 'look at "journal thread failed" in the log', atStart: 'end'
}

const databaseAway: StorageCause = {
  reason: 'the database cannot be reached', advice: 'look at the PostgreSQL server that JOURNAL names, and at the way to it; it goes on by itself', atStart: 'wait'
}
const databaseSlow: StorageCause = {
  reason: 'the database does not answer in time', advice: 'look at the load of the PostgreSQL server, at its disk, its locks (pg_locks) and its synchronous standby', atStart: 'wait'
}
const databaseReadOnly: StorageCause = {
  reason: 'the database may only be read', advice: 'wait for the end of the failover, or name the primary server in JOURNAL', atStart: 'wait'
}
const databaseFull: StorageCause = {
  reason: 'the database has no room', advice: 'make room on the disk of the PostgreSQL server; it goes on by itself', atStart: 'wait'
}
const databaseExhausted: StorageCause = {
  reason: 'the database takes no more connections or has no memory', advice: 'raise max_connections, lower JOURNAL_POOL_SIZE, or put PgBouncer before it; it goes on by itself', atStart: 'wait'
}
const databaseRefuses: StorageCause = {
  reason: 'the database refuses tierhook', advice: 'look at the user, the password and the database in JOURNAL, and at the rights of that user', atStart: 'end'
}
const databaseUnfit: StorageCause = {
  reason: 'the database is none to work with', advice: 'let JOURNAL name the primary of a PostgreSQL 14 or newer, in UTF8, with a JOURNAL_SCHEMA of tierhook\'s own', atStart: 'end'
}
const nameTaken: StorageCause = {
  reason: 'another replica has the same name', advice: 'give each replica a REPLICA_NAME of its own', atStart: 'end'
}

/** By the codes of the system and of SQLite (https://sqlite.org/rescode.html). */
const causes: Readonly<Record<string, StorageCause>> = {
  ENOSPC: full,
  SQLITE_FULL: full,
  [NO_INODES]: noInodes,
  EDQUOT: quota,
  EROFS: readOnly,
  EACCES: forbidden,
  EPERM: forbidden,
  SQLITE_PERM: forbidden,
  SQLITE_BUSY: locked,
  SQLITE_LOCKED: locked,
  SQLITE_PROTOCOL: locked,
  SQLITE_IOERR_LOCK: noLocks,
  ENOLCK: noLocks,
  ENOENT: gone,
  ENOTDIR: gone,
  ENXIO: unreachable,
  ENODEV: unreachable,
  ESTALE: unreachable,
  ENOTCONN: unreachable,
  EHOSTDOWN: unreachable,
  ETIMEDOUT: unreachable,
  EMFILE: handles,
  ENFILE: handles,
  EFBIG: tooLarge,
  ENOMEM: memory,
  SQLITE_NOMEM: memory,
  EIO: failing,
  SQLITE_IOERR: failing,
  SQLITE_CANTOPEN: unreadable,
  SQLITE_READONLY: unwritable,
  SQLITE_CORRUPT: damaged,
  SQLITE_NOTADB: damaged
}

/** By our own codes: whoever has put one on an error knows what it means. */
const ownCauses: Readonly<Record<string, StorageCause>> = {
  DATA_FOLDER_NOT_WRITABLE: unusable,
  DATA_FILES_REPLACED: replaced,
  DATA_FOLDER_IN_USE: inUse,
  WRONG_DATABASE: wrong,
  DATABASE_UNREACHABLE: databaseAway,
  DATABASE_SLOW: databaseSlow,
  DATABASE_READ_ONLY: databaseReadOnly,
  DATABASE_FULL: databaseFull,
  DATABASE_EXHAUSTED: databaseExhausted,
  DATABASE_REFUSES: databaseRefuses,
  DATABASE_UNFIT: databaseUnfit,
  REPLICA_NAME_TAKEN: nameTaken,
  THREAD_ENDED: threadEnded,
  ERR_WORKER_OUT_OF_MEMORY: threadEnded
}

/**
 * Why something could not be stored, by a code of ours or else by the innermost error that tells; `undefined` where none does: then it may be a
 * defect of ours.
 */
export function storageCause (error: unknown): StorageCause | undefined {
  let cause: StorageCause | undefined
  for (let current = error; typeof current === 'object' && current !== null; current = 'cause' in current ? current.cause : undefined) {
    const code = systemCode(current) ?? ''
    if (Object.hasOwn(ownCauses, code)) return ownCauses[code]
    if (Object.hasOwn(causes, code)) cause = causes[code]
  }
  return cause
}

/** Whether it is that this process may not: nothing but a person can change that. */
export function isForbidden (error: unknown): boolean {
  return storageCause(error) === forbidden
}

/** Whether it is another program's lock: that makes who meets it wait. */
export function isLocked (error: unknown): boolean {
  return storageCause(error) === locked
}

/** The same as half a sentence, for everything that keeps something from being stored. */
export function storageReason (error: unknown): string {
  return storageCause(error)?.reason ?? 'tierhook failed: its log says how'
}

/** What a log line tells of it beside the error itself. */
export function storageFields (error: unknown): { readonly reason?: string, readonly advice?: string } {
  const cause = storageCause(error)
  return cause === undefined ? {} : { reason: cause.reason, advice: cause.advice }
}

export interface FileSystemRoom {
  /** How many files it can have; 0 where it does not tell. */
  readonly files: number
  readonly ffree: number
  readonly bavail: number
}

/** The error of a call that met with the file system of `folder`, told apart: no room, or no inodes. */
export async function tellApart (error: unknown, folder: string): Promise<unknown> {
  if (systemCode(error) !== 'ENOSPC') return error
  const room = await statfs(folder).catch(() => undefined)
  return error instanceof Error && room !== undefined ? tellNoInodes(error, room) : error
}

/** Tells that a file system has no inodes left, where it has no place for another file and yet has room. */
export function tellNoInodes (error: NodeJS.ErrnoException, { files, ffree, bavail }: FileSystemRoom): Error {
  // Some file systems make inodes out of free room: full, they have neither.
  if (error.code !== 'ENOSPC' || error.syscall === 'write' || files === 0 || ffree > 0 || bavail === 0) return error
  return Object.assign(new Error(`${error.message} (no inodes are left)`), { code: NO_INODES, path: error.path })
}
