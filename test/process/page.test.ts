import { existsSync, mkdirSync } from 'node:fs'
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { eventBody, postEvent, PROCESS_SECRET, startServiceProcess } from '../support/service-process.js'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
const skip = executablePath === undefined && 'no Chromium is installed'
const TOKEN = 'a-token-of-the-tests-that-is-long-enough'
/** Kept after the test, to be looked at. */
const screenshots = join(import.meta.dirname, '../../.tap/page')

/** What would show up, or run, where something is not escaped. */
const MARKUP = '"><img src=x onerror="document.title=\'broken in\'"><script>document.title=\'broken in\'</script>'

interface Opened {
  readonly page: Page
  /** What the browser complained of: scripts that failed, and what the policy did not let through. */
  readonly complaints: string[]
}

async function launch (t: Test): Promise<Browser> {
  // What runs as root has no sandbox.
  const browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: ['--no-sandbox', '--disable-gpu'] })
  t.teardown(async () => { await browser.close() })
  return browser
}

async function open (browser: Browser, url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const page = await browser.newPage(options)
  page.setDefaultTimeout(60_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => { complaints.push(error.message) })
  page.on('console', (message) => {
    // The browser notes every answer that is no success; those that are expected are looked for in the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints }
}

async function setUp (t: Test, environment: Readonly<Record<string, string>> = {}) {
  const destination = { status: 500 }
  const server = await httpDestination(t, (_request, response) => { response.writeHead(destination.status).end('not today') })
  const adminPort = await freePort()
  const service = await startServiceProcess(t.testdir({}), {
    ADMIN_PORT: String(adminPort), FORWARDERS: 'file,http', HTTP_FORWARDER_URL: server.url, RETRY_MIN_MS: '200', RETRY_MAX_MS: '400', ...environment
  })
  t.teardown(async () => { await service.kill('SIGTERM') })
  return { service, destination, adminUrl: `http://127.0.0.1:${adminPort}` }
}

async function post (url: string, body: string): Promise<number> {
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  const { status } = await fetch(new URL('/webhooks', url), { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature } })
  return status
}

async function fits (page: Page): Promise<boolean> {
  return await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')
}

t.before(() => { mkdirSync(screenshots, { recursive: true }) })

t.test('an operator finds a customer\'s delivery, sees why it waits, mends the destination, and replays', { skip }, async (t) => {
  const { service, destination, adminUrl } = await setUp(t, { ADMIN_TOKEN: TOKEN })
  for (let index = 0; index < 12; index++) t.equal((await postEvent(service.url, `ev_${index}`)).status, 202)
  const browser = await launch(t)
  const { page, complaints } = await open(browser, adminUrl, { colorScheme: 'light', viewport: { width: 1280, height: 800 } })

  await page.getByLabel('ADMIN_TOKEN').fill('not the token')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByLabel('ADMIN_TOKEN').fill(TOKEN)
  await page.keyboard.press('Enter')
  await page.getByRole('cell', { name: 'cust_ev_11' }).waitFor()
  await page.getByText('live', { exact: true }).waitFor()
  await page.locator('#readiness.good').waitFor()
  await page.screenshot({ path: join(screenshots, 'deliveries-light.png'), fullPage: true })

  // What comes in shows by itself.
  await postEvent(service.url, 'ev_live')
  await page.getByRole('cell', { name: 'cust_ev_live' }).waitFor()

  await page.getByLabel('Customer').fill('cust_ev_3')
  await page.keyboard.press('Enter')
  await page.getByRole('cell', { name: 'cust_ev_11' }).waitFor({ state: 'detached' })
  await page.getByRole('cell', { name: 'cust_ev_3' }).waitFor()
  t.equal(await page.locator('tbody tr').count(), 1)
  t.match(page.url(), /customerId=cust_ev_3/)
  await page.locator('tbody tr a').first().click()
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  t.match(await page.getByLabel('Body', { exact: true }).textContent(), '"id": "cust_ev_3"')
  await page.getByText(/status 500/).first().waitFor()
  await page.screenshot({ path: join(screenshots, 'delivery-light.png'), fullPage: true })

  destination.status = 200
  await page.getByText('http: forwarded').waitFor()
  await page.getByRole('button', { name: 'Replay to http' }).click()
  await page.getByText('http (replay)').first().waitFor()

  await page.getByRole('link', { name: 'Forwarders' }).click()
  const row = page.getByRole('row').filter({ hasText: 'http' })
  await row.getByRole('button', { name: 'Pause' }).click()
  await row.getByText('paused by a person').waitFor()
  await row.getByRole('button', { name: 'Resume' }).click()
  await row.getByRole('button', { name: 'Pause' }).waitFor()
  await page.screenshot({ path: join(screenshots, 'forwarders-light.png'), fullPage: true })
  t.strictSame(complaints, [])
})

t.test('what a sender made up is shown as text and never runs', { skip }, async (t) => {
  const { service, adminUrl } = await setUp(t)
  const event = JSON.parse(eventBody('ev_made_up')) as { type: string, source: { id: string }, event: { type: string }, data: { customer: { id: string, name?: string } } }
  event.data.customer.id = MARKUP
  event.data.customer.name = MARKUP
  event.source.id = MARKUP
  event.type = MARKUP
  t.equal(await post(service.url, JSON.stringify(event)), 202)
  t.equal(await post(service.url, JSON.stringify({ ...event, id: 'whs_2', event: { ...event.event, id: 'ev_2', type: MARKUP } })), 202)
  // Held: a key that is markup is in the pointer of what is wrong with it.
  t.equal(await post(service.url, JSON.stringify({ ...event, id: 'whs_3', event: { ...event.event, id: 'ev_3' }, data: { [MARKUP]: 1 } })), 202)

  const browser = await launch(t)
  const { page, complaints } = await open(browser, adminUrl)
  await page.getByText(MARKUP.slice(0, 20)).first().waitFor()
  await page.locator('tbody tr a').first().click()
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  for (const view of ['Quarantine', 'Dead letters', 'Sender', 'Drift', 'Forwarders']) {
    await page.getByRole('link', { name: view, exact: true }).click()
    await page.locator('main section:not([aria-busy])').waitFor()
    await page.screenshot({ path: join(screenshots, `${view.toLowerCase().replace(' ', '-')}-light.png`), fullPage: true })
    t.notMatch(await page.title(), 'broken in')
    t.equal(await page.locator('main img, main script').count(), 0)
  }
  t.strictSame(complaints, [])
})

t.test('it is usable by keyboard, on a phone and in the dark', { skip }, async (t) => {
  const { service, adminUrl } = await setUp(t)
  await postEvent(service.url, 'ev_phone')
  const browser = await launch(t)
  const { page, complaints } = await open(browser, adminUrl, { colorScheme: 'dark', viewport: { width: 390, height: 844 } })
  await page.getByText('cust_ev_phone').waitFor()
  t.ok(await fits(page), 'nothing sticks out')
  await page.screenshot({ path: join(screenshots, 'deliveries-dark-phone.png'), fullPage: true })
  t.not(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'), 'rgb(251, 251, 250)')

  // The first stop skips the menu; then come the views, in order.
  await page.keyboard.press('Tab')
  t.equal(await page.evaluate<string>('document.activeElement.textContent'), 'Skip to the content')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  t.equal(await page.evaluate<string>('document.activeElement.textContent'), 'Forwarders')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Forwarders' }).and(page.locator('[aria-current="page"]')).waitFor()
  await page.getByText('running').first().waitFor()
  t.ok(await fits(page))
  await page.screenshot({ path: join(screenshots, 'forwarders-dark-phone.png'), fullPage: true })

  await page.goto(`${adminUrl}/#/deliveries`)
  await page.locator('tbody tr a').first().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  t.ok(await fits(page))
  await page.screenshot({ path: join(screenshots, 'delivery-dark-phone.png'), fullPage: true })
  t.strictSame(complaints, [])
})

t.test('a service that goes away is noticed, and found again', { skip }, async (t) => {
  const { service, adminUrl } = await setUp(t)
  const browser = await launch(t)
  const { page } = await open(browser, adminUrl)
  await page.getByText('live', { exact: true }).waitFor()
  await service.kill('SIGTERM')
  await page.getByText('not connected').waitFor()
  const again = await startServiceProcess(t.testdir({}), { ADMIN_PORT: new URL(adminUrl).port })
  t.teardown(async () => { await again.kill('SIGTERM') })
  await page.getByText('live', { exact: true }).waitFor()
  t.ok(await eventually(async () => (await page.locator('#readiness.good').count()) === 1 || undefined, 'the state of the new service'))
})
