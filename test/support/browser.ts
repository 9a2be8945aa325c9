import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { startServiceProcess, type ServiceProcess } from './service-process.js'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
/** Why tests with a browser are skipped; `false` if there is one. */
export const skip = executablePath === undefined && 'no Chromium is installed'
/** Kept after the test, for people to look at. */
const screenshots = join(import.meta.dirname, '../../.tap/page')

export interface OpenedPage {
  readonly page: Page
  /** What the browser complained about: failed scripts, and what the content security policy blocked. */
  readonly complaints: string[]
}

export async function launchBrowser (t: Test): Promise<Browser> {
  // The sandbox does not work for root.
  const browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: ['--no-sandbox', '--disable-gpu'] })
  t.teardown(async () => { await browser.close() })
  return browser
}

export async function openPage (browser: Browser, url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<OpenedPage> {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(60_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => { complaints.push(error.message) })
  page.on('console', (message) => {
    // The browser logs every answer that is not a success. Tests check the expected ones in the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints }
}

export interface ServiceWithPage {
  readonly service: ServiceProcess
  readonly dataDir: string
  /** The status with which the http forwarder's destination answers. */
  readonly destination: { status: number }
  readonly adminUrl: string
}

/** Starts a service with the file and http forwarders. The http destination fails until `status` is changed. */
export async function startServiceWithPage (t: Test, environment: Readonly<Record<string, string>> = {}): Promise<ServiceWithPage> {
  const destination = { status: 500 }
  const server = await httpDestination(t, (_request, response) => { response.writeHead(destination.status).end('not today') })
  const adminPort = await freePort()
  const dataDir = t.testdir({})
  const service = await startServiceProcess(dataDir, {
    ADMIN_PORT: String(adminPort), FORWARDERS: 'file,http', HTTP_FORWARDER_URL: server.url, RETRY_MIN_MS: '200', RETRY_MAX_MS: '400', ...environment
  })
  t.teardown(async () => { await service.kill('SIGTERM') })
  return { service, dataDir, destination, adminUrl: `http://127.0.0.1:${adminPort}` }
}

export async function fits (page: Page): Promise<boolean> {
  return await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')
}

export async function takeScreenshot (page: Page, name: string, { fullPage = true }: { readonly fullPage?: boolean } = {}): Promise<void> {
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage })
}
