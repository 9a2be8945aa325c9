import { createHmac } from 'node:crypto'
import t from 'tap'
import { fits, launchBrowser, openPage, skip, startServiceWithPage, takeScreenshot } from '../support/browser.js'
import { PROCESS_SECRET } from '../support/service-process.js'

const tiers = [
  { id: 'ltr_1', name: 'Leaf', points: { from: 0, to: 99 }, rewards: {} },
  { id: 'ltr_2', name: 'Blütentee', points: { from: 100, to: 499 }, rewards: { rewa_1: { type: 'MULTIPLY', multiplier: 1.5 } } },
  { id: 'ltr_3', name: 'Master Brewer', points: { from: 500 }, rewards: {} }
]

async function move (url: string, from: number, to: number, day: number): Promise<void> {
  const body = JSON.stringify({
    id: `whs_${from}${to}${day}`,
    type: 'tier.moved',
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: `ev_${from}${to}${day}`, type: `customer.loyalty.tier.${to > from ? 'upgraded' : 'downgraded'}`, created_at: new Date(Date.now() - (30 - day) * 1000).toISOString() },
    data: {
      customer: { id: 'cust_nM4jqPiaXUvQdVSA6vTRUnix', object: 'customer', name: 'Ada Lovelace' },
      campaign: { id: 'camp_abcdefghijklmnop', name: 'Tea Club', object: 'campaign' },
      loyalty_tier_from: tiers[from],
      loyalty_tier_to: tiers[to],
      created_at: '2026-01-31T00:00:00Z'
    }
  })
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  const { status } = await fetch(new URL('/webhooks', url), { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature } })
  t.equal(status, 202)
}

for (const shown of [false, true]) {
  t.test(`the list and a delivery show who moved from which tier to which, ${shown ? 'with the name on request' : 'without the name'}`, { skip }, async (t) => {
    const { service, destination, adminUrl } = await startServiceWithPage(t, { PAGE_SHOWS_NAMES: String(shown) })
    destination.status = 200
    await move(service.url, 0, 1, 1)
    await move(service.url, 1, 2, 10)
    await move(service.url, 2, 0, 20)
    const browser = await launchBrowser(t)
    const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`)
    const row = page.locator('tbody tr').last()
    await row.getByText('Leaf').waitFor()
    t.equal(await row.locator('[data-label="Tier"]').textContent(), 'Leaf →  to Blütentee')
    t.equal(await row.locator('[data-label="Campaign"]').textContent(), 'Tea Club camp_abcdefghijklmnop')
    const customer = shown ? 'Ada Lovelace' : 'cust_nM4jqPia…'
    t.equal(await row.locator('[data-label="Customer"]').textContent(), `${customer} cust_nM4jqPiaXUvQdVSA6vTRUnix`)
    await row.getByRole('link').first().click()
    const card = page.getByRole('region', { name: 'Loyalty' })
    await card.getByText('100 to 499').waitFor()
    await card.getByText('× 1.5').waitFor()
    await takeScreenshot(page, `loyalty-${shown ? 'named' : 'unnamed'}`)

    await card.getByRole('link', { name: customer }).click()
    await page.getByRole('img', { name: /^Tiers in Tea Club: \S+ Leaf to Blütentee; \S+ Blütentee to Master Brewer; \S+ Master Brewer to Leaf$/ }).waitFor()
    t.equal(await page.locator('tbody tr').count(), 3)
    t.equal((await page.locator('main').textContent())?.includes('Ada'), shown)
    await takeScreenshot(page, `customer-${shown ? 'named' : 'unnamed'}`)
    await page.setViewportSize({ width: 390, height: 844 })
    t.ok(await fits(page), 'nothing overflows the page on a phone')
    t.strictSame(complaints, [])
  })
}

t.test('an address without a customer shows nobody, where it once showed everybody as one customer', { skip }, async (t) => {
  const { service, adminUrl } = await startServiceWithPage(t)
  await move(service.url, 0, 1, 1)
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/customers`)
  await page.getByText('This address names no customer.').waitFor()
  t.equal(await page.locator('main svg, main tbody tr').count(), 0)
  await page.getByRole('link', { name: 'Search the deliveries' }).click()
  await page.locator('tbody tr').first().waitFor()
  t.strictSame(complaints, [])
})

t.test('a long body is printed to its end, where it once was cut off at its place on the screen', { skip }, async (t) => {
  const { service, adminUrl } = await startServiceWithPage(t)
  await move(service.url, 0, 1, 1)
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`)
  await page.locator('tbody tr').getByRole('link').first().click()
  const body = page.locator('pre').first()
  await body.waitFor()
  t.ok(await body.evaluate((each: { scrollHeight: number, clientHeight: number }) => each.scrollHeight > each.clientHeight), 'the body is longer than its box on the screen')
  await page.emulateMedia({ media: 'print' })
  t.ok(await body.evaluate((each: { scrollHeight: number, clientHeight: number }) => each.scrollHeight <= each.clientHeight), 'the whole body is printed')
  t.strictSame(complaints, [])
})
