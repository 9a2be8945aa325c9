#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { CommandContext, StopSignal } from './cli/context.js'
import { errorCode } from './cli/error-code.js'
import { exitCodes } from './cli/exit-codes.js'
import { openLogOutput } from './cli/log-output.js'
import { runProgram } from './cli/program.js'
import { written } from './cli/written.js'
import { keepObjectsYoung } from './cli/young-objects.js'
import { askSenderOnce, createService, describeServiceApi, forwarderNames, inspectForwarders, openOperator, readDrift, storeCopies, storeErasures } from './cli/service-functions.js'

/** How long a pipe's reader may take nothing, in milliseconds: a person may be reading page by page. */
const READER_LIMIT_MS = 600_000
/** The same for error messages, which nothing must wait for. */
const ERRORS_LIMIT_MS = 1000

const PackageFile = Type.Object({ version: Type.String() })

function readVersion (): string {
  const content: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return Value.Check(PackageFile, content) ? content.version : 'unknown'
}

let stoppedBy: StopSignal | undefined
/** Whether what takes the log takes nothing: then a thread of this process may hang in a write for ever. */
let logAbandoned = false

function onStopSignal (listener: (signal: StopSignal) => void): () => void {
  const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const stop = (signal: StopSignal): void => {
    stoppedBy = signal
    listener(signal)
  }
  for (const signal of signals) process.on(signal, stop)
  return () => { for (const signal of signals) process.off(signal, stop) }
}

async function ask (question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

/**
 * Ends the process. `exit` alone would wait for all threads: for a name look-up of the C library until the DNS servers answer, for a write to
 * a terminal until it is read, for a sync until the disk answers. Nothing can stop those: then the process ends by the signal that it was
 * told to stop by.
 */
function end (code: number): never {
  // A message port is that of a thread which has not ended.
  const waitsFor = process.getActiveResourcesInfo().filter((resource) => resource === 'GetAddrInfoReqWrap' || resource === 'MessagePort')
  if (stoppedBy !== undefined && (logAbandoned || waitsFor.length > 0)) {
    process.removeAllListeners(stoppedBy)
    process.kill(process.pid, stoppedBy)
  }
  process.exit(code)
}

/** A reader that has seen enough, such as head, closes the pipe: that is no fault of ours. All else is said. */
function exitWithoutOutput (error: Error): never {
  if (errorCode(error) === 'EPIPE') process.exit(exitCodes.ok)
  process.stderr.write(`tierhook: the output cannot be written (${errorCode(error)}): look for room and rights where it is to go\n`)
  process.exit(exitCodes.failure)
}

process.stdout.on('error', exitWithoutOutput)

// There is nobody left to tell.
process.stderr.on('error', () => {})

const version = readVersion()

keepObjectsYoung()

// What is kept has people's data in it: others on the machine may not read it.
process.umask(0o027)

const context: CommandContext = {
  version,
  environment: process.env,
  directory: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  openLog () {
    const log = openLogOutput({
      fd: process.stdout.fd,
      onError: error => { process.stderr.write(`tierhook: log lines cannot be written: ${error.message}\n`) }
    })
    return {
      ...log,
      abandon () {
        logAbandoned = true
        log.abandon()
      }
    }
  },
  createService: options => createService({ ...options, version, environment: process.env }),
  inspectForwarders: async options => await inspectForwarders({ ...options, version, environment: process.env }),
  forwarderNames,
  openOperator,
  storeCopies,
  storeErasures,
  describeApi: async () => await describeServiceApi({ version }),
  readDrift,
  askSender: async options => await askSenderOnce({ ...options, version, environment: process.env }),
  ask,
  onStopSignal,
  exit: end
}

const exitCode = await runProgram(context, process.argv.slice(2))
const all = await written(process.stdout, { stallLimitMs: READER_LIMIT_MS })
if (process.stdout.errored !== null) exitWithoutOutput(process.stdout.errored)
if (!all) process.stderr.write(`tierhook: the output was cut off: nobody has read it for ${READER_LIMIT_MS / 60_000} minutes\n`)
await written(process.stderr, { stallLimitMs: ERRORS_LIMIT_MS })
// Exits even if something were still open: a service that has stopped must not wait to be killed.
end(all ? exitCode : exitCodes.failure)
