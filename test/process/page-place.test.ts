import { readFile } from 'node:fs/promises'
import t from 'tap'
import { launchBrowser, openPage, skip, startServiceWithPage } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { postEvent } from '../support/service-process.js'

t.test('a live list keeps focus, selection and scroll position; new deliveries wait for a click, and back returns to the same place', { skip }, async (t) => {
  const { service, destination, adminUrl } = await startServiceWithPage(t)
  for (let index = 0; index < 30; index++) await postEvent(service.url, `ev_${index}`)
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`, { viewport: { width: 1440, height: 600 } })
  const rows = page.locator('tbody tr')
  await rows.nth(29).waitFor()
  const link = rows.nth(20).getByRole('link').first()
  await link.focus()
  await page.evaluate("getSelection().selectAllChildren(document.querySelectorAll('tbody tr')[20].querySelector('code'))")
  await page.evaluate('scrollTo(0, 400)')
  const place = async (): Promise<unknown> => await page.evaluate("[scrollY, document.activeElement.getAttribute('href'), getSelection().toString()]")
  const before = await place()
  t.match(before, [400, /^#\/deliveries\//, 'customer.loyalty.tier.upgraded'])

  // Badges change in each row, and three more deliveries arrive.
  destination.status = 200
  for (let index = 0; index < 3; index++) await postEvent(service.url, `ev_new_${index}`)
  await page.getByRole('button', { name: '3 new' }).waitFor()
  await eventually(async () => await rows.filter({ hasText: 'http: forwarded' }).count() === 30 || undefined, 'every row to show its new state')
  t.strictSame(await place(), before)
  t.equal(await rows.count(), 30)

  await link.press('Enter')
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  t.equal(await page.evaluate('scrollY'), 0)
  await page.goBack()
  await rows.nth(29).waitFor()
  t.strictSame(await page.evaluate("[scrollY, document.activeElement.getAttribute('href')]"), [400, await link.getAttribute('href')])
  await link.press('Enter')
  await page.getByRole('link', { name: '← Back' }).click()
  await rows.nth(29).waitFor()
  t.equal(await page.evaluate('scrollY'), 400)

  await page.getByRole('button', { name: '3 new' }).click()
  await rows.nth(32).waitFor()
  t.match(await rows.first().textContent(), /cust_ev_new_2/)
  t.equal(await page.getByRole('button', { name: '3 new' }).count(), 0)
  t.strictSame(complaints, [])
})

t.test('id, JSON, curl and link are copied, and the list is saved as NDJSON and CSV', { skip }, async (t) => {
  const { service, destination, adminUrl } = await startServiceWithPage(t)
  destination.status = 200
  for (let index = 0; index < 3; index++) await postEvent(service.url, `ev_${index}`)
  await postEvent(service.url, '=1+1')
  const browser = await launchBrowser(t)
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], acceptDownloads: true })
  const page = await context.newPage()
  await page.goto(`${adminUrl}/#/deliveries?q=cust_ev`)
  await page.locator('tbody tr').nth(2).waitFor()

  const saved = async (button: string): Promise<string> => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()])
    return await readFile(await download.path(), 'utf8')
  }
  const lines = (await saved('Export NDJSON')).trimEnd().split('\n').map((line): unknown => JSON.parse(line))
  t.match(lines, [{ customerId: 'cust_ev_2', loyalty: Object }, { customerId: 'cust_ev_1' }, { customerId: 'cust_ev_0' }])
  await page.getByText('3 deliveries exported.').waitFor()
  await page.goto(`${adminUrl}/#/deliveries?status=forwarded`)
  await page.locator('tbody tr').nth(3).waitFor()
  const csv = (await saved('Export CSV')).trimEnd().split('\r\n')
  t.equal(csv.length, 5)
  t.match(csv[0], /^"id","receivedAt","eventType","eventId","customerId",/)
  t.match(csv[1], /,"'=1\+1","cust_=1\+1",/, 'spreadsheets read no cell as a formula')
  t.match(csv[4], /"cust_ev_0".*"file=forwarded http=forwarded"$/)

  await page.locator('tbody tr').last().getByRole('link').first().click()
  await page.getByRole('heading', { name: 'Body, as received' }).waitFor()
  const copied = async (what: string): Promise<string> => {
    await page.getByRole('button', { name: `Copy ${what}` }).click()
    await page.getByText(`Copied: ${what}.`).waitFor()
    return await page.evaluate<string>('navigator.clipboard.readText()')
  }
  const id = await copied('id')
  t.match(id, /^[0-9a-f-]{36}$/)
  t.match(JSON.parse(await copied('JSON')), { event: { id: 'ev_0' } })
  t.equal(await copied('curl'), `curl '${adminUrl}/api/deliveries/${id}'`)
  t.equal(await copied('link'), `${adminUrl}/#/deliveries/${id}`)
})
