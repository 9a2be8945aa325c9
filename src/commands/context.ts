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

/** Description of a started service, for the banner and the log. */
export interface StartedService {
  /** URL of the public listener. */
  readonly url: string
  readonly adminUrl?: string
  readonly forwarders?: ReadonlyArray<{ readonly name: string, readonly type: string, readonly destination: string }>
}

export interface Service {
  readonly start: () => Promise<StartedService>
  /** Answers the webhooks in flight, stops forwarding, and closes the service. */
  readonly close: () => Promise<void>
}

export interface ServiceOptions {
  readonly settings: Settings
  readonly logger: Logger
  readonly logDestination: LogDestination
  /** Variables that the forwarders file may refer to. */
  readonly variables: Readonly<Record<string, string>>
  /** Path of the environment file; absent if none was read. */
  readonly envFile?: string
  /** Called with events of the service. */
  readonly observer?: Observer
}

/** Signals that stop the service. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** What commands use of the process itself. */
export interface ProcessContext {
  readonly version: string
  /** Name of the operating system's user who runs the command. */
  readonly userName: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The directory of relative paths and of the default `.env` file. */
  readonly directory: string
  /** User and groups of the process; `undefined` on systems without them, such as Windows. */
  readonly user: FileUser | undefined
  readonly stdout: Output
  readonly stderr: Output
  /** Reads standard input to its end, or until it exceeds `limitBytes`. */
  readonly readInput: (limitBytes: number) => Promise<Buffer>
  /** Asks a person at the terminal. Resolves with the answer; `undefined` if there is no terminal. */
  readonly ask: (question: string) => Promise<string | undefined>
  /** Calls `listener` for every stop signal. Returns a function that unsubscribes it. */
  readonly onStopSignal: (listener: (signal: StopSignal) => void) => () => void
  /** Ends the process at once. */
  readonly exit: (code: number) => void
}

/**
 * Everything that commands use from outside, so that tests can run them without a process. The members added here are loaded only when a command
 * needs them.
 */
export interface CommandContext extends ProcessContext {
  readonly openLog: () => LogOutput
  readonly createService: (options: ServiceOptions) => Service | Promise<Service>
  /** Creates the configured forwarders without starting them. Rejects with a `ConfigurationError` if they cannot be created. */
  readonly inspectForwarders: (options: Omit<ServiceOptions, 'logDestination'>) => Promise<readonly InspectedForwarder[]>
  /** Finds files that other users of the machine could read or change although the service relies on them. */
  readonly inspectFiles: (options: InspectFilesOptions) => readonly FileDanger[]
  /** Returns the names of the configured forwarders. Throws a `ConfigurationError` if the configuration is invalid. */
  readonly forwarderNames: (settings: Pick<Settings, 'FORWARDERS' | 'FORWARDERS_FILE'>) => readonly string[]
  /** Checks, without changing anything, whether a PostgreSQL database can hold the journal. Rejects with the reason if it cannot. */
  readonly checkDatabase: (options: { readonly url: string, readonly schema: string, readonly timeoutMs: number }) => Promise<void>
  /** Opens the store in a data folder or a PostgreSQL database. Throws a `StoreError` if it cannot. */
  readonly openOperator: (place: StorePlace) => Operator
  /** Makes and restores backups of the store. Both reject with a `StoreError` if they cannot. */
  readonly storeCopies: {
    readonly backUp: (options: BackupOptions) => Promise<BackedUp>
    readonly restore: (options: RestoreOptions) => Promise<Restored>
  }
  /** Moves the store from a data folder to a PostgreSQL database, or back. Rejects with a `StoreError` if it cannot. */
  readonly moveStore: (options: MoveOptions) => Promise<Moved>
  /** What an erasure needs besides the store itself. */
  readonly storeErasures: {
    readonly personOf: (by: Person['by'], value: string) => Person
    /** Adds people to the list of the erased. Throws a `StoreError` if the list cannot be read. */
    readonly remember: (options: { readonly dataDir: string, readonly people: readonly Person[] }) => void
    /** Whether the database's files still contain one of the values. No operator may be open. */
    readonly hasLeftOvers: (options: { readonly dataDir: string, readonly values: readonly string[] }) => boolean
  }
  /** The action list. `add` throws if the list cannot be written. */
  readonly storeActions: {
    readonly add: (options: { readonly dataDir: string, readonly action: RecordedAction }) => void
  }
  /** Resolves with the OpenAPI description of both listeners. */
  readonly describeApi: () => Promise<object>
  /** Resolves with the drift that services saw, up to a few seconds old; `undefined` if no service has noted any. Rejects if it cannot be read. */
  readonly readDrift: (place: StorePlace) => Promise<DriftReport | undefined>
  /**
   * Makes services forget their drift: at once if they run, or else at their next start. Resolves with `false` if no service has noted anything
   * there. Rejects if the store cannot be reached.
   */
  readonly resetDrift: (place: StorePlace) => Promise<boolean>
  /** Asks Voucherify's Management API once about the webhook, read-only; `undefined` if the settings name no Management API. */
  readonly askSender: (options: { readonly settings: Settings, readonly timeoutMs: number }) => Promise<AskedOnce | undefined>
}
