import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import type { CommandContext, Service, ServiceOptions, StopSignal } from '../../src/commands/context.js'
import type { LogOutput, Output } from '../../src/terminal/output.js'
import { runProgram } from '../../src/commands/program.js'
import type { Operator } from '../../src/delivery/operator.js'
import { listen } from '../forwarders/http/support/servers.js'
import { latch } from '../support/latch.js'
import { forwarderNames } from '../../src/composition/configured-forwarders.js'
import { describeServiceApi } from '../../src/composition/describe-service-api.js'
import { inspectFiles } from '../../src/composition/inspect-files.js'
import { inspectForwarders } from '../../src/composition/inspect-forwarders.js'
import { moveStore } from '../../src/composition/move.js'
import { checkDatabase, openOperator, readDrift, resetDrift, storeActions, storeCopies, storeErasures } from '../../src/composition/open-store.js'
import { askSenderOnce } from '../../src/composition/open-watchdog.js'

/** As much of tap's test as the harness uses. */
export interface Teardown {
  teardown: (fn: () => unknown) => void
}

class Capture extends Writable {
  text = ''
  isTTY = false
  columns = 100

  override _write (chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface HarnessOptions {
  environment?: Record<string, string>
  directory?: string
  terminal?: boolean
  /** Whom the commands run as; nothing is said of files where it is absent. */
  user?: CommandContext['user']
  /** Whether the log is never written to its end. */
  hangingLog?: boolean
  createService?: (options: ServiceOptions) => Service
  openOperator?: (options: { readonly dataDir: string }) => Operator
  /** What standard input holds. */
  input?: string
  storeActions?: CommandContext['storeActions']
  /** The person at the terminal. */
  ask?: (question: string) => Promise<string | undefined>
}

/** A command line without a process: what it wrote, the signals to send it, and the exits that it asked for. */
export function createHarness (options: HarnessOptions = {}) {
  const stdout = new Capture()
  const stderr = new Capture()
  stdout.isTTY = stderr.isTTY = options.terminal ?? false
  const listeners = new Set<(signal: StopSignal) => void>()
  const exits: number[] = []
  const log = { text: '', closed: false, abandoned: false }
  const logOutput: LogOutput = {
    write: line => { log.text += line },
    flushed: async () => {},
    close: async () => {
      if (options.hangingLog === true) await new Promise(() => {})
      log.closed = true
    },
    abandon: () => { log.abandoned = true }
  }
  const context: CommandContext = {
    version: '9.8.7',
    userName: 'anna',
    environment: options.environment ?? {},
    directory: options.directory ?? '/nonexistent',
    user: options.user,
    stdout: stdout satisfies Output,
    stderr: stderr satisfies Output,
    openLog: () => logOutput,
    createService: options.createService ?? (() => { throw new Error('no service in this test') }),
    inspectFiles,
    inspectForwarders: async inspected => await inspectForwarders({ ...inspected, version: '9.8.7', environment: options.environment ?? {} }),
    forwarderNames,
    checkDatabase,
    openOperator: options.openOperator ?? openOperator,
    storeCopies,
    moveStore,
    storeErasures,
    storeActions: options.storeActions ?? storeActions,
    describeApi: async () => await describeServiceApi({ version: '9.8.7' }),
    readDrift,
    resetDrift,
    askSender: async asked => await askSenderOnce({ ...asked, version: '9.8.7', environment: options.environment ?? {} }),
    readInput: async () => Buffer.from(options.input ?? ''),
    ask: options.ask ?? (async () => undefined),
    onStopSignal: listener => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    exit: code => { exits.push(code) }
  }
  return {
    stdout,
    stderr,
    log,
    exits,
    listeners,
    signal: (signal: StopSignal) => { for (const listener of listeners) listener(signal) },
    run: async (...args: string[]): Promise<number> => await runProgram(context, args, async () => context)
  }
}

/** Opens the store as the program does, and tells when a method of it has first done its work. */
export function watchOperator (method: 'lastSequence' | 'replay') {
  const done = latch()
  return {
    done: done.opened,
    openOperator (options: { readonly dataDir: string }): Operator {
      const operator = openOperator(options)
      return {
        ...operator,
        async [method] (argument: never) {
          const result = await operator[method](argument)
          done.open()
          return result
        }
      }
    }
  }
}

export interface ReceivedRequest {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

/** A server on a free port that keeps what it received; closed with the test. */
export async function startServer (t: Teardown, answer: (request: ReceivedRequest, response: ServerResponse) => void) {
  const requests: ReceivedRequest[] = []
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.on('end', () => {
      const received = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
      requests.push(received)
      answer(received, response)
    })
  }
  const server = createServer(listener)
  const { port, sockets } = await listen(t, server)
  return { port, url: `http://127.0.0.1:${port}`, requests, sockets }
}
