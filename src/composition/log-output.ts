import { once } from 'node:events'
import { pino } from 'pino'
import type { LogOutput } from '../terminal/output.js'

export interface LogOutputOptions {
  /** The open file descriptor that lines are written to. */
  readonly fd: number
  /** Told once, at the first line that could not be written; it is tried again with the next one. */
  readonly onError: (error: Error) => void
}

/** How much may wait to be written before lines are dropped: a reader that hangs must not fill the memory. */
const limitBytes = 67_108_864
/** Lines are gathered up to this length, in characters, or for this time, in milliseconds, before they are handed on. */
const gatherLength = 65_536
const gatherMs = 10

/**
 * Opens a log output that writes in the background, so that a slow reader holds nothing else up. Lines are gathered for
 * a moment and written together: to hand a line on by itself takes several times as long as to make it.
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
    // pino writes nothing more after a broken pipe; after a full disk it tries again with the next line.
    if ('code' in error && error.code === 'EPIPE') readerGone = true
    if (!reported) options.onError(error)
    reported = true
    // It would else try again, without end and without letting go of the process, while that exits.
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
  destination.on('drop', () => { fail(new Error('nobody takes log lines off, so lines were dropped')) })

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
