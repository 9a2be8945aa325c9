import { statfs } from 'node:fs/promises'
import { systemCode } from './system-code.js'

/** Why something cannot be stored, and what to do about it. */
export interface StorageCause {
  /** What was seen, as a clause. It is sent to the sender too, so it contains no path. */
  readonly reason: string
  /** What the operator should do. */
  readonly advice: string
  /**
   * What the service does if it meets this at its start. `wait`: the cause may pass by itself, so the service starts and answers 503 until then.
   * `end`: the service does not start, because an operator has to change the setup.
   */
  readonly atStart: 'wait' | 'end'
}

/** Our code for an `ENOSPC` that is not caused by missing space. The operating system uses one code for both. */
const NO_INODES = 'NO_INODES'

/** Causes by the codes of the operating system and of SQLite (https://sqlite.org/rescode.html). */
const causes = byCode({
  'ENOSPC SQLITE_FULL': {
    reason: 'the disk is full', advice: 'make room on the disk of the data folder; it goes on by itself. While the disk is full, nothing can be removed from the database either; a lower RETENTION_MAX_BYTES helps after that', atStart: 'wait'
  },
  [NO_INODES]: {
    reason: 'the disk takes no more files: it has no inodes left', advice: 'remove files from the file system of the data folder (df -i), or recreate it with more inodes; it goes on by itself', atStart: 'wait'
  },
  EDQUOT: {
    reason: 'the disk quota is used up', advice: 'raise the quota of the user that tierhook runs as, or remove files of that user; it goes on by itself', atStart: 'wait'
  },
  EROFS: {
    reason: 'the file system is read-only', advice: 'mount the data folder so that it can be written to; if it was, the kernel\'s log says why it is not any more', atStart: 'wait'
  },
  'EACCES EPERM SQLITE_PERM': {
    reason: 'tierhook has no right to write there', advice: 'let the user that tierhook runs as write to the data folder and to every file in it', atStart: 'end'
  },
  'SQLITE_BUSY SQLITE_LOCKED SQLITE_PROTOCOL': {
    reason: 'another program holds the database locked', advice: 'end that program, or its transaction: "fuser tierhook.db" in the data folder tells which one has it open', atStart: 'wait'
  },
  'SQLITE_IOERR_LOCK ENOLCK': {
    reason: 'the file system cannot lock files', advice: 'put the data folder on a local disk: many network file systems cannot lock files as a database needs it', atStart: 'wait'
  },
  'ENOENT ENOTDIR': {
    reason: 'a file or its folder is not there', advice: 'put the data folder back in its place, or stop the service, look at the folder, and start it again', atStart: 'wait'
  },
  'ENXIO ENODEV ESTALE ENOTCONN EHOSTDOWN ETIMEDOUT': {
    reason: 'the disk cannot be reached', advice: 'look at the disk or the network file system of the data folder', atStart: 'wait'
  },
  'EMFILE ENFILE': {
    reason: 'too many files are open', advice: 'raise the limit of open files of the process or of the machine (ulimit -n)', atStart: 'wait'
  },
  EFBIG: {
    reason: 'a file may not grow any further', advice: 'raise the limit of the size of files (ulimit -f), or use a file system that takes larger ones', atStart: 'wait'
  },
  'ENOMEM SQLITE_NOMEM': {
    reason: 'there is not enough memory', advice: 'give the process more memory', atStart: 'wait'
  },
  'EIO SQLITE_IOERR': {
    reason: 'the disk fails', advice: 'look at the health of the disk and at the kernel\'s log', atStart: 'wait'
  },
  SQLITE_CANTOPEN: {
    reason: 'the database cannot be opened', advice: 'look at the data folder and at the files in it', atStart: 'wait'
  },
  SQLITE_READONLY: {
    reason: 'the database cannot be written to', advice: 'look at the data folder and at the files in it', atStart: 'wait'
  },
  'SQLITE_CORRUPT SQLITE_NOTADB': {
    reason: 'the database is damaged, and is being mended', advice: 'wait; the log tells what was lost', atStart: 'end'
  }
})

/** Causes by tierhook's own codes. They take precedence, because the code that set them knew the cause. */
const ownCauses = byCode({
  DATA_FOLDER_NOT_WRITABLE: {
    reason: 'the data folder cannot be made or written to', advice: 'let the user that tierhook runs as make the data folder and write to it, or set DATA_DIR to another folder', atStart: 'end'
  },
  DATA_FILES_REPLACED: {
    reason: 'files of the data folder were removed or replaced while the service runs', advice: 'put the same files back, or stop the service, look at its data folder, and start it again', atStart: 'wait'
  },
  DATA_FOLDER_IN_USE: {
    reason: 'another tierhook serves the data folder', advice: 'stop the other one, or give this one a DATA_DIR of its own', atStart: 'end'
  },
  WRONG_DATABASE: {
    reason: 'the database is of another program, or of a newer tierhook', advice: 'point DATA_DIR at a folder of its own, or start the newer tierhook', atStart: 'end'
  },
  DATABASE_UNREACHABLE: {
    reason: 'the database cannot be reached', advice: 'look at the PostgreSQL server that JOURNAL names, and at the way to it; it goes on by itself', atStart: 'wait'
  },
  DATABASE_SLOW: {
    reason: 'the database does not answer in time', advice: 'look at the load of the PostgreSQL server, at its disk, its locks (pg_locks) and its synchronous standby', atStart: 'wait'
  },
  DATABASE_READ_ONLY: {
    reason: 'the database is read-only', advice: 'wait for the end of the failover, or name the primary server in JOURNAL', atStart: 'wait'
  },
  DATABASE_FULL: {
    reason: 'the database has no room', advice: 'make room on the disk of the PostgreSQL server; it goes on by itself', atStart: 'wait'
  },
  DATABASE_EXHAUSTED: {
    reason: 'the database takes no more connections or has no memory', advice: 'raise max_connections, lower JOURNAL_POOL_SIZE, or put PgBouncer before it; it goes on by itself', atStart: 'wait'
  },
  DATABASE_REFUSES: {
    reason: 'the database refuses tierhook', advice: 'look at the user, the password and the database in JOURNAL, and at the rights of that user', atStart: 'end'
  },
  DATABASE_UNFIT: {
    reason: 'the database does not suit tierhook', advice: 'let JOURNAL name the primary of a PostgreSQL 14 or newer, in UTF8, with a JOURNAL_SCHEMA of tierhook\'s own', atStart: 'end'
  },
  REPLICA_NAME_TAKEN: {
    reason: 'another replica has the same name', advice: 'give each replica a REPLICA_NAME of its own', atStart: 'end'
  },
  'THREAD_ENDED ERR_WORKER_OUT_OF_MEMORY': {
    reason: 'a part of tierhook has failed, and is being started anew', advice: 'look at "journal thread failed" in the log', atStart: 'end'
  }
})

/** @param causes each under its codes, which are separated by spaces */
function byCode (causes: Readonly<Record<string, StorageCause>>): ReadonlyMap<string, StorageCause> {
  return new Map(Object.entries(causes).flatMap(([codes, cause]) => codes.split(' ').map((code) => [code, cause] as const)))
}

/**
 * Returns why something could not be stored: by one of our own codes, or else by the innermost error with a known code. `undefined` if there is
 * none, which may mean a defect in tierhook.
 */
export function storageCause (error: unknown): StorageCause | undefined {
  let cause: StorageCause | undefined
  for (let current = error; typeof current === 'object' && current !== null; current = 'cause' in current ? current.cause : undefined) {
    const code = systemCode(current) ?? ''
    const own = ownCauses.get(code)
    if (own !== undefined) return own
    cause = causes.get(code) ?? cause
  }
  return cause
}

/** Whether this process lacks the permission. Only a person can change that. */
export function isForbidden (error: unknown): boolean {
  return storageCause(error) === causes.get('EACCES')
}

/** Whether another program holds a lock. Opening the database may then succeed later. */
export function isLocked (error: unknown): boolean {
  return storageCause(error) === causes.get('SQLITE_BUSY')
}

/** Returns the reason as a clause, also for an error of unknown cause. */
export function storageReason (error: unknown): string {
  return storageCause(error)?.reason ?? 'tierhook failed: its log says how'
}

/** Returns the fields that a log line has beside the error itself. */
export function storageFields (error: unknown): { readonly reason?: string, readonly advice?: string } {
  const cause = storageCause(error)
  return cause === undefined ? {} : { reason: cause.reason, advice: cause.advice }
}

export interface FileSystemRoom {
  /** How many files the file system can have; 0 if it does not say. */
  readonly files: number
  readonly ffree: number
  readonly bavail: number
}

/** Returns the error of a call on the file system of `folder`. If it is an ENOSPC because of missing inodes, the returned error says so. */
export async function explainNoSpace (error: unknown, folder: string): Promise<unknown> {
  if (systemCode(error) !== 'ENOSPC') return error
  const room = await statfs(folder).catch(() => undefined)
  return error instanceof Error && room !== undefined ? explainNoInodes(error, room) : error
}

/** Returns an error that says that no inodes are left, if the file system has none but still has space. Else returns the same error. */
export function explainNoInodes (error: NodeJS.ErrnoException, { files, ffree, bavail }: FileSystemRoom): Error {
  // Some file systems make inodes out of free space. When full, they have neither.
  if (error.code !== 'ENOSPC' || error.syscall === 'write' || files === 0 || ffree > 0 || bavail === 0) return error
  return Object.assign(new Error(`${error.message} (no inodes are left)`), { code: NO_INODES, path: error.path })
}
