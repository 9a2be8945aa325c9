import { join } from 'node:path'
import type { Logger } from 'pino'
import { ConfigurationError } from '../config/configuration-error.js'
import type { Settings } from '../config/settings.js'
import { watchdogSettings, type WatchdogSettings } from '../config/watchdog-settings.js'
import type { Clock } from '../delivery/clock.js'
import { type Client, createClient } from '../forwarders/http/client.js'
import { networkReason } from '../forwarders/http/judge-answer.js'
import { retryAfterMs } from '../forwarders/http/retry-after.js'
import { type Asked, askSender, type AskSenderOptions } from '../sender-watch/ask-sender.js'
import { type Ask, createManagementApi } from '../sender-watch/management-api.js'
import { createOwnUrls } from '../sender-watch/own-urls.js'
import { createSwitchOnLimit, SWITCHED_ON_FILE, type SwitchOnLimit } from '../sender-watch/switch-on-limit.js'
import { createWatchdog, type Watchdog } from '../sender-watch/watchdog.js'
import { CANNOT_SEE } from '../sender-watch/webhook-status.js'

/** The result of asking the sender once, and where it was asked. */
export interface AskedOnce extends Pick<Asked, 'findings'> {
  readonly projectId: string
  readonly managementUrl: string
  /** Why some questions could not be asked. */
  readonly failures: readonly string[]
  /** What the watchdog cannot check. */
  readonly cannotSee: string
}

export interface OpenWatchdogOptions {
  readonly settings: Settings
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly version: string
  /** Environment in which a proxy is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether this replica is the one that asks. If absent, it always asks. */
  readonly leads?: (() => boolean) | undefined
  /** Limits how often webhooks are switched on. If absent, a note in the data folder is used. */
  readonly switchOnLimit?: SwitchOnLimit | undefined
  /** How long each answer may take, in milliseconds. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** Enough for some hundred webhooks with all existing events. */
const ANSWER_LIMIT_BYTES = 524_288

/**
 * Makes the watchdog that the settings ask for; `undefined` if they ask for none. Asks nothing before `start`.
 * @throws {ConfigurationError} if the proxy's URL is wrong
 */
export function openWatchdog ({ settings, dataDir, logger, clock, version, environment, leads, switchOnLimit, timeoutMs = TIMEOUT_MS }: OpenWatchdogOptions): Watchdog | undefined {
  const watchdog = watchdogSettings(settings)
  if (watchdog === undefined) return undefined
  const { asks, close } = openApi(watchdog, settings, { version, environment, now: clock.now, timeoutMs })
  return createWatchdog({
    ...asks,
    logger,
    clock,
    random: Math.random,
    leads,
    reenable: watchdog.reenable ? switchOnLimit ?? createSwitchOnLimit({ path: join(dataDir, SWITCHED_ON_FILE), clock }) : undefined,
    closeApi: close
  })
}

export type AskSenderOnceOptions = Required<Pick<OpenWatchdogOptions, 'settings' | 'version' | 'environment' | 'timeoutMs'>>

/**
 * Asks the sender once, and changes nothing; `undefined` if the settings ask for no watchdog.
 * @throws {ConfigurationError} if the proxy's URL is wrong
 */
export async function askSenderOnce ({ settings, timeoutMs, ...options }: AskSenderOnceOptions): Promise<AskedOnce | undefined> {
  const watchdog = watchdogSettings(settings)
  if (watchdog === undefined) return undefined
  const { asks, close } = openApi(watchdog, settings, { ...options, now: Date.now, timeoutMs })
  try {
    const { findings, failures } = await askSender(asks, new AbortController().signal)
    return { projectId: watchdog.projectId, managementUrl: watchdog.managementUrl, findings, failures: [...new Set(failures.map(({ message }) => message))], cannotSee: CANNOT_SEE }
  } finally {
    await close()
  }
}

interface ApiOptions extends Omit<AskSenderOnceOptions, 'settings'> {
  readonly now: () => number
}

function openApi (watchdog: WatchdogSettings, settings: Settings, options: ApiOptions): { readonly asks: AskSenderOptions, readonly close: () => Promise<void> } {
  const client = connect(watchdog.managementUrl, options)
  return {
    asks: {
      api: createManagementApi(createAsk(client, watchdog, options), watchdog.projectId),
      urls: createOwnUrls({ publicUrl: watchdog.publicUrl, customWebhooks: settings.CUSTOM_WEBHOOKS }),
      secrets: settings.VOUCHERIFY_WEBHOOK_SECRETS
    },
    close: client.destination.close
  }
}

function connect (url: string, { environment, timeoutMs }: ApiOptions): Client {
  try {
    return createClient({ url, connections: 1, timeoutMs, environment, bodyLimitBytes: ANSWER_LIMIT_BYTES, keepBytes: ANSWER_LIMIT_BYTES })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new ConfigurationError([{ variable: 'VOUCHERIFY_MANAGEMENT_URL', message: `cannot be connected to: ${error.message}` }])
  }
}

function createAsk ({ destination, exchange }: Client, { managementId, managementToken }: WatchdogSettings, { version, now }: ApiOptions): Ask {
  const base = destination.path.replace(/\/+$/, '')
  const always = ['X-Management-Id', managementId, 'X-Management-Token', managementToken, 'accept', 'application/json', 'user-agent', `tierhook/${version}`]
  return async ({ method, path, body }, signal) => {
    const headers = body === undefined ? always : [...always, 'content-type', 'application/json']
    const answer = await exchange({ origin: destination.origin, path: `${base}${path}`, method, headers, body: body ?? null }, { signal }).catch((error: unknown) => {
      throw new Error(`Voucherify cannot be reached: ${networkReason(error)}`, { cause: error })
    })
    const { statusCode, headers: answered, start, whole, brokenBy } = answer
    if (brokenBy !== undefined) throw new Error(`Voucherify's answer broke off: ${networkReason(brokenBy)}`)
    if (!whole) throw new Error(`Voucherify's answer is longer than ${ANSWER_LIMIT_BYTES} bytes`)
    return { status: statusCode, body: start, retryAfterMs: retryAfterMs(answered, now()) }
  }
}
