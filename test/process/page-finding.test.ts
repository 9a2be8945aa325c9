import type { Page } from 'playwright-core'
import t from 'tap'
import { fits, launchBrowser, openPage, skip } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { startTroubledService } from '../support/troubled-service.js'

async function search (page: Page, text: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search' }).fill(text)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.hash.includes(new URLSearchParams({ q: text }).toString()))
  await answered(page)
}

/** The page shows what its address asks for. */
async function answered (page: Page): Promise<void> {
  await eventually(async () => await page.evaluate<boolean>("(document.querySelector('main [data-asked]:not([aria-busy])')?.dataset.asked ?? 'none') === (location.hash.split('?')[1] ?? '')") || undefined, 'the page to show the filter in its address')
}

t.test('one box searches by the beginning of any id, a word of the type, and the name of a forwarder; presets and times narrow the result', { skip }, async (t) => {
  const { adminUrl } = await startTroubledService(t, { deliveries: 20 })
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`, { viewport: { width: 1440, height: 900 } })
  const rows = page.locator('tbody tr')
  await rows.nth(22).waitFor()
  const href = await rows.nth(4).locator('a').first().getAttribute('href') ?? ''
  const id = href.split('/').at(-1) ?? ''
  const customer = decodeURIComponent((await rows.nth(4).locator('[data-label="Customer"] a').getAttribute('href') ?? '').split('/').at(-1) ?? '')

  await search(page, id.slice(0, -4))
  t.ok(await rows.count() < 5)
  t.equal(await page.locator(`tbody a[href="${href}"]`).count(), 1)
  await search(page, customer.slice(0, 12))
  await page.locator(`tbody a[href="${href}"]`).waitFor()
  await search(page, 'downgraded')
  await page.locator('tbody tr').getByText('.downgraded').first().waitFor()
  t.equal(await rows.count(), 4)
  await search(page, 'gifts')
  await page.getByText('gifts: dead').first().waitFor()
  t.equal(await rows.filter({ hasText: 'gifts: dead' }).count(), 4)
  t.equal(await rows.filter({ hasText: 'gifts: skipped' }).count(), 0, 'deliveries that the forwarder\'s filter skipped are not listed')

  await page.goto(`${adminUrl}/#/deliveries?forwarder=gifts`)
  await page.getByText('gifts: dead').first().waitFor()
  t.equal(await rows.filter({ hasText: 'gifts: skipped' }).count(), 0)
  await page.goto(`${adminUrl}/#/deliveries?forwarder=gfits`)
  await page.getByRole('alert').getByText('The store knows no forwarder "gfits".').waitFor()

  await page.getByRole('link', { name: 'Quarantined', exact: true }).click()
  await page.getByText('6 quarantined').first().waitFor()
  t.equal(await rows.count(), 3)
  await page.getByRole('link', { name: 'Given up' }).click()
  await page.getByText('gifts: dead').first().waitFor()
  t.equal(await rows.count(), 4)
  await page.getByRole('link', { name: 'Last hour' }).click()
  await rows.nth(22).waitFor()
  await page.getByLabel('Until (UTC)').fill('2020-01-01T00:00')
  await page.getByLabel('Within the last').selectOption('')
  await page.getByText('No delivery matches these filters.').waitFor()

  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto(`${adminUrl}/#/deliveries`)
  await answered(page)
  t.equal(await page.getByLabel('Campaign', { exact: true }).isVisible(), false, 'the filters are collapsed on a phone')
  t.ok(await fits(page))
  await page.getByText('Filters', { exact: true }).click()
  t.equal(await page.getByLabel('Campaign', { exact: true }).isVisible(), true)
  t.ok(await fits(page))
  await page.goto(`${adminUrl}/#/customers/100%`)
  await page.getByRole('heading', { name: 'Customer 100%' }).waitFor()
  t.strictSame(complaints, [])
})
