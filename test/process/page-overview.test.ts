import t from 'tap'
import { fits, launchBrowser, openPage, skip, startServiceWithPage, takeScreenshot } from '../support/browser.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

t.test('the first view says in a sentence what needs the operator, and shows what arrived, also after a restart', { skip }, async (t) => {
  const { service, dataDir, destination, adminUrl } = await startServiceWithPage(t, { RETRY_GIVE_UP_MS: '1' })
  destination.status = 410
  for (let index = 0; index < 3; index++) await postEvent(service.url, `ev_${index}`)
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, adminUrl)
  await page.locator('.sentence').getByText('1 thing needs you: http has 3 dead letters.').waitFor()
  await page.getByRole('navigation').getByRole('link', { name: 'Dead letters 3' }).waitFor()

  await page.getByRole('img', { name: /^Accepted events a minute by type, the last hour: 3 events/ }).waitFor()
  const row = page.getByRole('row').filter({ hasText: 'http' })
  t.match(await row.locator('[data-label="Success"]').textContent(), '0.0 %')
  t.match(await page.getByRole('row').filter({ hasText: 'file' }).locator('[data-label="Success"]').textContent(), '100 %')
  await row.getByRole('img', { name: /^Backlog of http in the last hour: at most \d+/ }).waitFor()
  for (const card of ['Retry budget', 'Missing events', 'Webhook at Voucherify', 'Disk']) t.ok(await page.getByRole('region', { name: card, exact: true }).isVisible(), card)
  await takeScreenshot(page, 'overview')

  // The table, for users who cannot see the plot.
  await page.getByText('The same as a table').click()
  const table = page.getByRole('table', { name: /Accepted events by type/ })
  t.equal(await table.getByRole('columnheader').allTextContents().then((names) => names.join()), 'From,customer.loyalty.tier.upgraded')
  const counts = await table.locator('tbody td:nth-child(2)').allTextContents()
  t.equal(counts.reduce((sum, count) => sum + Number(count), 0), 3)

  await page.getByRole('link', { name: 'Show the last 24 hours' }).click()
  await page.getByRole('img', { name: /^Accepted events in 5 min by type, the last 24 hours: 3 events/ }).waitFor()
  await page.setViewportSize({ width: 390, height: 844 })
  t.ok(await fits(page), 'nothing overflows the page on a phone')

  await service.kill('SIGTERM')
  const again = await startServiceProcess(dataDir, { ADMIN_PORT: new URL(adminUrl).port })
  t.teardown(async () => { await again.kill('SIGTERM') })
  await page.locator('#live').getByText('live', { exact: true }).waitFor()
  await page.reload()
  await page.getByRole('img', { name: /the last 24 hours: 3 events/ }).waitFor()
  t.strictSame(complaints, [])
})
