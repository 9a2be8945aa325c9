import { within } from '../delivery/within.js'

/** How long a thread may take to close its connection to the database, in milliseconds. No webhook is stored meanwhile. */
const LIMIT_MS = 10_000

/** A thread that has the database open. */
export interface DatabaseThread {
  readonly closeDatabase: () => Promise<void>
  readonly abort: (error: Error) => void
  readonly exited: Promise<void>
}

/**
 * Resolves when the thread no longer has the database open. A thread that does not answer in time, because it computes or runs a long query, is
 * ended. What it was doing can be repeated.
 */
export async function closeDatabaseInTime ({ closeDatabase, abort, exited }: DatabaseThread): Promise<void> {
  // A rejection means that the thread has ended, and then it has nothing open.
  const answered = closeDatabase().then(() => true, () => true)
  if (await within(LIMIT_MS, answered) === true) return
  abort(new Error(`The thread has not closed the database within ${LIMIT_MS / 1000} s, and is ended so that the database can be opened again`))
  // A thread that hangs in a system call cannot be ended.
  await within(LIMIT_MS, exited)
}
