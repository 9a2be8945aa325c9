import { within } from '../delivery/within.js'

/** How long a thread may take to close its connection to the database, in milliseconds. No webhook is stored meanwhile. */
const LIMIT_MS = 10_000

/** A thread that has the database open. */
export interface LettingGo {
  readonly letGo: () => Promise<void>
  readonly abort: (error: Error) => void
  readonly exited: Promise<void>
}

/** Resolves once a thread has the database open no more. One that does not answer, because it computes or searches for long, is ended: what it does can be done again. */
export async function letGoInTime ({ letGo, abort, exited }: LettingGo): Promise<void> {
  // One that has ended has nothing open.
  const answered = letGo().then(() => true, () => true)
  if (await within(LIMIT_MS, answered) === true) return
  abort(new Error(`The thread has not let go of the database for ${LIMIT_MS / 1000} s, which has to be opened anew`))
  // What hangs in a call of the system cannot be ended.
  await within(LIMIT_MS, exited)
}
