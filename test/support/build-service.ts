import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Agent } from 'undici'
import { loadSettings } from '../../src/config/load-settings.js'
import { createService } from '../../src/composition/service.js'
import { captureLines, type CapturedLines } from './capture-lines.js'
import { captureLog, type CapturedLog } from './capture-log.js'
import { eventually } from './eventually.js'
import { localThreads } from './local-threads.js'
import { webhookClient, type WebhookClient } from './post-webhook.js'

/** The secret of every service that is built with `signed`. */
export const SECRET = 'the-secret-of-the-tests'

export interface BuiltService extends WebhookClient {
  readonly url: string
  readonly port: number
  /** The service's own log. */
  readonly log: CapturedLog
  /** The lines of the log forwarder. */
  readonly forwarded: CapturedLines
  /** Resolves with the file forwarder's lines as soon as there are this many. */
  readonly fileLines: (count: number) => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

/** Environment variables for a service that verifies every webhook. */
export const signed = { VOUCHERIFY_WEBHOOK_SECRETS: SECRET }

/**
 * Starts the real service on a free port with a journal of its own, and stops it with the test. Its threads run inside this thread, where they
 * start at once. The tests of the built program use real threads.
 */
export async function buildService (t: Test, environment: Readonly<Record<string, string>> = {}): Promise<BuiltService> {
  // A test may build several services, but its own folder is emptied each time the test asks for it.
  const dataDir = mkdtempSync(join(tmpdir(), 'tierhook-test-'))
  const settings = loadSettings({ environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir, ...environment } })
  const log = captureLog()
  const forwarded = captureLines()
  const service = createService({ settings, logger: log.logger, logDestination: forwarded, threads: localThreads() })
  const agent = new Agent()
  t.teardown(async () => {
    await agent.destroy()
    await service.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const { url } = await service.start()
  return {
    ...webhookClient(url, agent, settings.VOUCHERIFY_WEBHOOK_SECRETS[0]),
    url,
    port: Number(new URL(url).port),
    log,
    forwarded,
    close: service.close,
    async fileLines (count) {
      const path = join(dataDir, 'events.ndjson')
      return await eventually(() => {
        const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
        return lines.length >= count ? lines : undefined
      }, `${count} lines in the file`)
    }
  }
}
