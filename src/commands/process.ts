import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type { CommandContext, ProcessContext, StopSignal } from './context.js'
import { errorCode } from '../errors/system-code.js'
import { exitCodes } from './command-line.js'
import { runProgram } from './program.js'
import { written } from '../terminal/written.js'
import { keepObjectsYoung } from '../composition/young-objects.js'
import { countThreads } from '../threads/thread.js'

/** How long a pipe's reader may read nothing, in milliseconds. A person may be reading page by page. */
const READER_LIMIT_MS = 600_000
/** The same for error messages, which must not delay the exit. */
const ERRORS_LIMIT_MS = 1000
/** Within this time the same signal may arrive again from npm, in milliseconds. */
const PASSED_ON_MS = 1000

function readVersion (): string {
  const content: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown'
}

/** In a container the user id may have no name. */
function userName (): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

let stoppedBy: StopSignal | undefined
let stoppedAt = 0
/** Whether the log's reader takes nothing. Then a thread of this process may hang in a write for ever. */
let logAbandoned = false

const isRunByNpm = process.env['npm_lifecycle_event'] !== undefined

function onStopSignal (listener: (signal: StopSignal) => void): () => void {
  const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const stop = (signal: StopSignal): void => {
    // Ctrl-C reaches npm and this process, and npm passes the signal on. Count that as one signal, because a second one ends the process at once.
    if (isRunByNpm && signal === stoppedBy && performance.now() - stoppedAt < PASSED_ON_MS) return
    stoppedBy = signal
    stoppedAt = performance.now()
    listener(signal)
  }
  for (const signal of signals) process.on(signal, stop)
  return () => { for (const signal of signals) process.off(signal, stop) }
}

function onExit (listener: () => number): () => void {
  const decide = (): void => { process.exitCode = listener() }
  process.once('exit', decide)
  return () => { process.off('exit', decide) }
}

async function ask (question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  return await new Promise<string>((resolve) => {
    let answer: string | undefined
    terminal.question(question).then((text) => {
      answer = text
      terminal.close()
    }, () => { /* It is closed. */ })
    // During a question Ctrl-C is a key like any other. Ctrl-C and Ctrl-D close the question without an answer, so send SIGINT to stop the
    // command.
    terminal.once('close', () => {
      if (answer === undefined && !process.emit('SIGINT', 'SIGINT')) process.kill(process.pid, 'SIGINT')
      resolve(answer ?? '')
    })
  })
}

async function readInput (limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    const part: Buffer = Buffer.from(chunk)
    chunks.push(part)
    bytes += part.byteLength
    if (bytes > limitBytes) break
  }
  return Buffer.concat(chunks)
}

/**
 * Ends the process. `exit` alone would wait for all threads: for a name lookup of the C library until a DNS server answers, for a write to a
 * terminal until it is read, for a sync until the disk answers. Nothing can interrupt these, so the process kills itself with the signal that
 * stopped it.
 */
function end (code: number): never {
  const looksUp = process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')
  if (stoppedBy !== undefined && (logAbandoned || looksUp || countThreads() > 0)) {
    process.removeAllListeners(stoppedBy)
    process.kill(process.pid, stoppedBy)
  }
  process.exit(code)
}

/**
 * Ends the process after an output error. A reader such as head closes the pipe when it has enough (EPIPE): that is success. Other errors are
 * reported.
 */
function exitWithoutOutput (error: Error): never {
  if (errorCode(error) === 'EPIPE') process.exit(exitCodes.ok)
  process.stderr.write(`tierhook: the output cannot be written (${errorCode(error)}): check the room and the permissions where it goes\n`)
  process.exit(exitCodes.failure)
}

process.stdout.on('error', exitWithoutOutput)

// Ignore errors of stderr: there is nowhere left to report them.
process.stderr.on('error', () => {})

const version = readVersion()

keepObjectsYoung()

// Files contain personal data, so other users of the machine must not read them.
process.umask(0o027)

const context: ProcessContext = {
  version,
  userName: userName(),
  environment: process.env,
  directory: process.cwd(),
  user: process.geteuid === undefined ? undefined : { uid: process.geteuid(), groups: [process.getegid?.() ?? 0, ...process.getgroups?.() ?? []] },
  stdout: process.stdout,
  stderr: process.stderr,
  readInput,
  ask,
  onStopSignal,
  exit: end
}

/** Loads what takes long to load, when a command needs it. */
async function load (): Promise<CommandContext> {
  const { createServices } = await import('./services.js')
  return { ...context, ...createServices(context, { fd: process.stdout.fd, onLogAbandoned: () => { logAbandoned = true }, onExit }) }
}

const exitCode = await runProgram(context, process.argv.slice(2), load)
const all = await written(process.stdout, { stallLimitMs: READER_LIMIT_MS })
if (process.stdout.errored !== null) exitWithoutOutput(process.stdout.errored)
if (!all) process.stderr.write(`tierhook: the output was cut off: its reader took nothing for ${READER_LIMIT_MS / 60_000} minutes\n`)
await written(process.stderr, { stallLimitMs: ERRORS_LIMIT_MS })
// Exits even if a handle is still open, so that a stopped service does not wait to be killed.
end(all ? exitCode : exitCodes.failure)
