import { createHmac } from 'node:crypto'
import t from 'tap'
import { fits, launchBrowser, openPage, skip, startServiceWithPage, takeScreenshot } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { eventBody, postEvent, PROCESS_SECRET, startServiceProcess } from '../support/service-process.js'

const TOKEN = 'a-token-of-the-tests-that-is-long-enough'
/** Text that would appear or run if it is not escaped. */
const MARKUP = '"><img src=x onerror="document.title=\'broken in\'"><script>document.title=\'broken in\'</script>'

async function post (url: string, body: string): Promise<number> {
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  const { status } = await fetch(new URL('/webhooks', url), { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature } })
  return status
}

t.test('an operator finds a customer\'s delivery, sees why it waits, repairs the destination, and replays', { skip }, async (t) => {
  const { service, destination, adminUrl } = await startServiceWithPage(t, { ADMIN_TOKEN: TOKEN })
  for (let index = 0; index < 12; index++) t.equal((await postEvent(service.url, `ev_${index}`)).status, 202)
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`, { colorScheme: 'light', viewport: { width: 1280, height: 800 } })

  await page.getByLabel('ADMIN_TOKEN').fill('not the token')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByRole('alert').getByText('This token is wrong. Enter another one.').waitFor()
  await page.getByLabel('ADMIN_TOKEN').fill(TOKEN)
  await page.keyboard.press('Enter')
  await page.getByRole('cell', { name: 'cust_ev_11' }).waitFor()
  await page.getByText('live', { exact: true }).waitFor()
  await page.locator('#readiness').getByText(/needs? you/).waitFor()
  await takeScreenshot(page, 'deliveries-light')

  // New deliveries are announced without a request.
  await postEvent(service.url, 'ev_live')
  await page.getByRole('button', { name: '1 new' }).click()
  await page.getByRole('cell', { name: 'cust_ev_live' }).waitFor()

  await page.getByText('Filters', { exact: true }).click()
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
  await takeScreenshot(page, 'delivery-light')

  destination.status = 200
  await page.getByText('http: forwarded').waitFor()
  await page.getByRole('button', { name: 'Replay to http' }).click()
  await page.getByText('http (replay)').first().waitFor()

  await page.getByRole('navigation').getByRole('link', { name: 'Forwarders' }).click()
  const row = page.getByRole('row').filter({ hasText: 'http' })
  await row.getByRole('button', { name: 'Pause' }).click()
  await row.getByText('paused by an operator').waitFor()
  await row.getByRole('button', { name: 'Resume' }).click()
  await row.getByRole('button', { name: 'Pause' }).waitFor()
  await takeScreenshot(page, 'forwarders-light')
  t.strictSame(complaints, [])
})

t.test('text from a sender is shown as text and never runs', { skip }, async (t) => {
  const { service, adminUrl } = await startServiceWithPage(t)
  const event = JSON.parse(eventBody('ev_made_up')) as { type: string, source: { id: string }, event: { type: string }, data: { customer: { id: string, name?: string } } }
  event.data.customer.id = MARKUP
  event.data.customer.name = MARKUP
  event.source.id = MARKUP
  event.type = MARKUP
  t.equal(await post(service.url, JSON.stringify(event)), 202)
  t.equal(await post(service.url, JSON.stringify({ ...event, id: 'whs_2', event: { ...event.event, id: 'ev_2', type: MARKUP } })), 202)
  // Quarantined: the pointer of its fault contains a key with markup.
  t.equal(await post(service.url, JSON.stringify({ ...event, id: 'whs_3', event: { ...event.event, id: 'ev_3' }, data: { [MARKUP]: 1 } })), 202)

  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`)
  await page.getByText(MARKUP.slice(0, 20)).first().waitFor()
  await page.locator('tbody tr a').first().click()
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  for (const view of ['Quarantine', 'Dead letters', 'Sender', 'Drift', 'Forwarders']) {
    await page.getByRole('navigation').getByRole('link', { name: new RegExp(`^${view}`) }).click()
    await page.locator('main section:not([aria-busy])').waitFor()
    await takeScreenshot(page, `${view.toLowerCase().replace(' ', '-')}-light`)
    t.notMatch(await page.title(), 'broken in')
    t.equal(await page.locator('main img, main script').count(), 0)
  }
  await page.getByRole('navigation').getByRole('link', { name: 'Drift' }).click()
  await page.getByRole('button', { name: 'Forget all drift' }).click()
  await page.getByText('since drift was last reset').waitFor()
  t.equal(await page.getByRole('button', { name: 'Forget all drift' }).count(), 0)
  t.strictSame(complaints, [])
})

t.test('the page is usable by keyboard, on a phone and in dark mode', { skip }, async (t) => {
  const { service, destination, adminUrl } = await startServiceWithPage(t)
  destination.status = 200
  await postEvent(service.url, 'ev_phone')
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`, { colorScheme: 'dark', viewport: { width: 390, height: 844 } })
  await page.getByText('cust_ev_phone').waitFor()
  t.ok(await fits(page), 'nothing overflows the page')
  await takeScreenshot(page, 'deliveries-dark-phone')
  t.not(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'), 'rgb(251, 251, 250)')

  // The first tab stop skips the menu. Then come the views, in order.
  await page.keyboard.press('Tab')
  t.equal(await page.evaluate<string>('document.activeElement.textContent'), 'Skip to the content')
  for (const name of ['Theme: auto', 'Overview', 'Deliveries', 'Forwarders']) {
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate<string>('document.activeElement.textContent'), name)
  }
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Forwarders' }).and(page.locator('[aria-current="page"]')).waitFor()
  await page.getByText('running').first().waitFor()
  t.ok(await fits(page))
  await takeScreenshot(page, 'forwarders-dark-phone')

  await page.goto(`${adminUrl}/#/deliveries`)
  await page.locator('tbody tr a').first().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  t.ok(await fits(page))
  await takeScreenshot(page, 'delivery-dark-phone')
  t.strictSame(complaints, [])
})

t.test('the page notices when the service goes away and when it is back', { skip }, async (t) => {
  const { service, adminUrl } = await startServiceWithPage(t)
  const browser = await launchBrowser(t)
  const { page } = await openPage(browser, `${adminUrl}/#/deliveries`)
  await page.getByText('live', { exact: true }).waitFor()
  await service.kill('SIGTERM')
  await page.getByText('not connected').waitFor()
  const again = await startServiceProcess(t.testdir({}), { ADMIN_PORT: new URL(adminUrl).port })
  t.teardown(async () => { await again.kill('SIGTERM') })
  await page.getByText('live', { exact: true }).waitFor()
  t.ok(await eventually(async () => (await page.locator('#readiness.good').count()) === 1 || undefined, 'the new service to be shown as ready'))
})
