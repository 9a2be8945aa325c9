import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import type { Operator, Person } from '../delivery/operator.js'
import type { InspectedForwarder } from '../inspect-forwarders.js'
import type { BackedUp, BackupOptions, DriftReport, Restored, RestoreOptions } from '../open-store.js'
import type { AskedOnce } from '../open-watchdog.js'

/** A stream that a command writes to; a terminal if it says so. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Where log lines go: whole lines, each ended by a new line. */
export interface LogDestination {
  /** Never waits and never throws. */
  readonly write: (line: string) => void
  /** Resolves once every line so far has left the process; rejects if they could not be written. */
  readonly flushed: () => Promise<void>
}

/** A log destination that its owner has to close, because it holds lines back for a moment. */
export interface LogOutput extends LogDestination {
  /** Resolves when every line has left the process or could not be written; lines that come later are dropped. */
  readonly close: () => Promise<void>
  /** Drops what is still to be written, so that nothing waits for a reader that hangs. */
  readonly abandon: () => void
}

export interface Service {
  /** Resolves with the URL that the service listens at. */
  readonly start: () => Promise<{ readonly url: string }>
  /** Answers what is in flight, drains, stops. */
  readonly close: () => Promise<void>
}

export interface ServiceOptions {
  readonly settings: Settings
  readonly logger: Logger
  readonly logDestination: LogDestination
  /** What the file of forwarders may refer to. */
  readonly variables: Readonly<Record<string, string>>
  /** The path of the environment file that was read, if there was one. */
  readonly envFile?: string
}

/** The signals that ask the service to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Everything that commands take from the process, so that tests can run them without one. */
export interface CommandContext {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The directory that relative paths and the default `.env` file are in. */
  readonly directory: string
  readonly stdout: Output
  readonly stderr: Output
  readonly openLog: () => LogOutput
  readonly createService: (options: ServiceOptions) => Service
  /** Makes the configured forwarders without starting them; rejects with a `ConfigurationError` where they can't be made. */
  readonly inspectForwarders: (options: Omit<ServiceOptions, 'logDestination'>) => Promise<readonly InspectedForwarder[]>
  /** The names of the configured forwarders; throws a `ConfigurationError` where they can't be told. */
  readonly forwarderNames: (settings: Pick<Settings, 'FORWARDERS' | 'FORWARDERS_FILE'>) => readonly string[]
  /** Opens the store in a data folder; throws a `StoreError` where that can't be. */
  readonly openOperator: (options: { readonly dataDir: string }) => Operator
  /** Makes and takes back copies of the store; rejects with a `StoreError` where that can't be. */
  readonly storeCopies: {
    readonly backUp: (options: BackupOptions) => Promise<BackedUp>
    readonly restore: (options: RestoreOptions) => Promise<Restored>
  }
  /** What an erasure needs beside the store itself. */
  readonly storeErasures: {
    readonly personOf: (by: Person['by'], value: string) => Person
    /** Puts people on the list of the erased; throws a `StoreError` where the list can't be read. */
    readonly remember: (options: { readonly dataDir: string, readonly people: readonly Person[] }) => void
    /** Whether the database's files hold one of the values. No operator may be open. */
    readonly hasLeftOvers: (options: { readonly dataDir: string, readonly values: readonly string[] }) => boolean
  }
  /** The OpenAPI description of both listeners. */
  readonly describeApi: () => Promise<object>
  /** What a service has noticed in a data folder, up to some seconds ago; `undefined` where none has; rejects where it can't be read. */
  readonly readDrift: (options: { readonly dataDir: string }) => Promise<DriftReport | undefined>
  /** Asks Voucherify's Management API once about the webhook, and changes nothing; `undefined` where the settings name no such API. */
  readonly askSender: (options: { readonly settings: Settings, readonly timeoutMs: number }) => Promise<AskedOnce | undefined>
  /** Asks a person at the terminal; resolves with the answer, or with `undefined` where there is no terminal. */
  readonly ask: (question: string) => Promise<string | undefined>
  /** Calls `listener` for every stop signal until the function that it returns is called. */
  readonly onStopSignal: (listener: (signal: StopSignal) => void) => () => void
  /** Ends the process at once. */
  readonly exit: (code: number) => void
}
