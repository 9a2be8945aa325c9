import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import type { Observer } from '../delivery/observation.js'
import type { Operator } from '../delivery/operator.js'
import type { Person } from '../delivery/operator-requests.js'
import type { FileDanger, FileUser, InspectFilesOptions } from '../composition/inspect-files.js'
import type { InspectedForwarder } from '../composition/inspect-forwarders.js'
import type { Moved, MoveOptions } from '../composition/move.js'
import type { BackedUp, BackupOptions, DriftReport, RecordedAction, Restored, RestoreOptions, StorePlace } from '../composition/open-store.js'
import type { LogDestination, LogOutput, Output } from '../terminal/output.js'
import type { AskedOnce } from '../composition/open-watchdog.js'

/** What a service says of itself once it takes webhooks. */
export interface StartedService {
  /** Where it listens. */
  readonly url: string
  readonly adminUrl?: string
  readonly forwarders?: ReadonlyArray<{ readonly name: string, readonly type: string, readonly destination: string }>
}

export interface Service {
  readonly start: () => Promise<StartedService>
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
  /** Told of what happens. */
  readonly observer?: Observer
}

/** The signals that ask the service to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** What a command takes from the process itself. */
export interface ProcessContext {
  readonly version: string
  /** Who runs the command, as the operating system calls them. */
  readonly userName: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The directory that relative paths and the default `.env` file are in. */
  readonly directory: string
  /** Whom the process runs as; `undefined` where the system has no such users. */
  readonly user: FileUser | undefined
  readonly stdout: Output
  readonly stderr: Output
  /** Reads standard input to its end, or until there are more than so many bytes. */
  readonly readInput: (limitBytes: number) => Promise<Buffer>
  /** Asks a person at the terminal; resolves with the answer, or with `undefined` where there is no terminal. */
  readonly ask: (question: string) => Promise<string | undefined>
  /** Calls `listener` for every stop signal until the function that it returns is called. */
  readonly onStopSignal: (listener: (signal: StopSignal) => void) => () => void
  /** Ends the process at once. */
  readonly exit: (code: number) => void
}

/** Everything that commands take from outside, so that tests can run them without a process. What is here and not there takes its time to load. */
export interface CommandContext extends ProcessContext {
  readonly openLog: () => LogOutput
  readonly createService: (options: ServiceOptions) => Service | Promise<Service>
  /** Makes the configured forwarders without starting them; rejects with a `ConfigurationError` where they can't be made. */
  readonly inspectForwarders: (options: Omit<ServiceOptions, 'logDestination'>) => Promise<readonly InspectedForwarder[]>
  /** What others on the machine could read or change of what the service relies on. */
  readonly inspectFiles: (options: InspectFilesOptions) => readonly FileDanger[]
  /** The names of the configured forwarders; throws a `ConfigurationError` where they can't be told. */
  readonly forwarderNames: (settings: Pick<Settings, 'FORWARDERS' | 'FORWARDERS_FILE'>) => readonly string[]
  /** Tries whether a journal can be kept in a database that replicas share, and changes nothing; rejects with what is wrong. */
  readonly checkDatabase: (options: { readonly url: string, readonly schema: string, readonly timeoutMs: number }) => Promise<void>
  /** Opens the store in a data folder, or in a database that replicas share; throws a `StoreError` where that can't be. */
  readonly openOperator: (place: StorePlace) => Operator
  /** Makes and takes back copies of the store; rejects with a `StoreError` where that can't be. */
  readonly storeCopies: {
    readonly backUp: (options: BackupOptions) => Promise<BackedUp>
    readonly restore: (options: RestoreOptions) => Promise<Restored>
  }
  /** Moves the store from a data folder to a database that replicas share, or back; rejects with a `StoreError` where that can't be. */
  readonly moveStore: (options: MoveOptions) => Promise<Moved>
  /** What an erasure needs beside the store itself. */
  readonly storeErasures: {
    readonly personOf: (by: Person['by'], value: string) => Person
    /** Puts people on the list of the erased; throws a `StoreError` where the list can't be read. */
    readonly remember: (options: { readonly dataDir: string, readonly people: readonly Person[] }) => void
    /** Whether the database's files hold one of the values. No operator may be open. */
    readonly hasLeftOvers: (options: { readonly dataDir: string, readonly values: readonly string[] }) => boolean
  }
  /** The list of what operators did; throws where it can't be written. */
  readonly storeActions: {
    readonly add: (options: { readonly dataDir: string, readonly action: RecordedAction }) => void
  }
  /** The OpenAPI description of both listeners. */
  readonly describeApi: () => Promise<object>
  /** What services have noticed in a data folder or a database, up to some seconds ago; `undefined` where none has; rejects where it can't be read. */
  readonly readDrift: (place: StorePlace) => Promise<DriftReport | undefined>
  /** Has the services of a data folder or a database forget their drift, when they run; `false` where none has noted anything there; rejects where it can't be asked. */
  readonly resetDrift: (place: StorePlace) => Promise<boolean>
  /** Asks Voucherify's Management API once about the webhook, and changes nothing; `undefined` where the settings name no such API. */
  readonly askSender: (options: { readonly settings: Settings, readonly timeoutMs: number }) => Promise<AskedOnce | undefined>
}
