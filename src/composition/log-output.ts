import { once } from 'node:events'
import { pino } from 'pino'
import type { LogOutput } from '../terminal/output.js'

export interface LogOutputOptions {
  /** The open file descriptor that lines are written to. */
  readonly fd: number
  /** Called once, for the first line that could not be written. Writing is tried again with the next line. */
  readonly onError: (error: Error) => void
}

/** The most bytes that may wait to be written. Above this, lines are dropped, so that a reader that hangs does not fill the memory. */
const limitBytes = 67_108_864
/** Lines are collected up to this length in characters, or for this time in milliseconds, before they are written. */
const gatherLength = 65_536
const gatherMs = 10

/**
 * Opens a log output that writes in the background, so that a slow reader delays nothing else. Lines are collected for a moment and written
 * together, because writing a line alone takes several times as long as making it.
 */
export function openLogOutput (options: LogOutputOptions): LogOutput {
  const destination = pino.destination({ fd: options.fd, sync: false, maxLength: limitBytes })
  let gathered: string[] = []
  let length = 0
  let scheduled: NodeJS.Timeout | undefined
  let closed = false
  let pending = false
  let failure: Error | undefined
  let readerGone = false
  let reported = false

  function fail (error: Error): void {
    failure = error
    // pino writes nothing more after a broken pipe. After a full disk it tries again with the next line.
    if ('code' in error && error.code === 'EPIPE') readerGone = true
    if (!reported) options.onError(error)
    reported = true
    // Otherwise pino would try again without end, and keep the process from exiting.
    if (closed) destination.destroy()
  }

  function handOn (): void {
    clearTimeout(scheduled)
    scheduled = undefined
    if (length === 0) return
    const lines = gathered.join('')
    gathered = []
    length = 0
    if (readerGone) return
    failure = undefined
    pending = true
    destination.write(lines)
  }

  destination.on('drain', () => { pending = false })
  destination.on('error', fail)
  destination.on('drop', () => { fail(new Error('the log\'s reader takes no lines, so lines were dropped')) })

  return {
    write: line => {
      if (closed || readerGone) return
      gathered.push(line)
      length += line.length
      if (length >= gatherLength) handOn()
      else scheduled ??= setTimeout(handOn, gatherMs)
    },
    flushed: async () => {
      handOn()
      if (failure !== undefined) throw failure
      if (pending) await once(destination, 'drain')
    },
    close: async () => {
      if (closed || readerGone) return
      closed = true
      handOn()
      const ended = new Promise<void>(resolve => { destination.once('close', resolve) })
      destination.end()
      await ended
    },
    abandon: () => {
      closed = true
      clearTimeout(scheduled)
      destination.destroy()
    }
  }
}
