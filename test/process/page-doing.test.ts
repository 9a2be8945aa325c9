import t from 'tap'
import { fits, launchBrowser, openPage, skip, startServiceWithPage, takeScreenshot } from '../support/browser.js'
import { postEvent } from '../support/service-process.js'

const TOKEN = 'a-token-of-the-tests-that-is-long-enough'

t.test('dead letters are replayed by their reason after a confirmation, with visible progress, and the list has who did it', { skip }, async (t) => {
  const { service, destination, adminUrl } = await startServiceWithPage(t, { RETRY_GIVE_UP_MS: '1', ADMIN_TOKENS: `anna:operate:${TOKEN}` })
  destination.status = 410
  for (let index = 0; index < 4; index++) await postEvent(service.url, `ev_${index}`)
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/dead-letters`, { viewport: { width: 1440, height: 900 } })
  await page.locator('input[name=token]').fill(TOKEN)
  await page.keyboard.press('Enter')
  const group = page.getByRole('table', { name: 'By reason' }).locator('tbody tr')
  await group.getByText('4', { exact: true }).waitFor()
  await takeScreenshot(page, 'doing')

  const questions: string[] = []
  page.on('dialog', (dialog) => {
    questions.push(dialog.message())
    const answer = questions.length === 1 ? dialog.dismiss() : dialog.accept()
    answer.catch(() => { /* The page was closed. */ })
  })
  destination.status = 200
  await page.getByLabel('Rate').selectOption('1')
  const button = page.getByRole('button', { name: /^Replay all: http, status 410/ })
  await button.click()
  await page.getByRole('button', { name: /^Replay all: http, / }).and(page.locator(':enabled')).waitFor()
  t.equal(await page.getByText('under way').count(), 0, 'declining starts no replay')
  await button.click()
  await page.getByText('under way', { exact: true }).waitFor()
  await page.getByRole('progressbar').waitFor()
  await takeScreenshot(page, 'doing-under-way')
  await page.getByText(/Replay “status 410: not today” of http: 4 of 4/).waitFor()
  t.match(questions[1], /^Replay 4 dead letters of http with the reason “status 410: not today”\? At 1 a second it takes about 4 s\.$/)

  await page.getByRole('navigation').getByRole('link', { name: 'Actions' }).click()
  const row = page.locator('tbody tr').filter({ hasText: 'replay, dead letters' })
  await row.getByText('anna').waitFor()
  t.match(await row.textContent(), /anna from 127\.0\.0\.1.*http4/)
  await takeScreenshot(page, 'actions')
  await page.setViewportSize({ width: 390, height: 844 })
  t.ok(await fits(page))
  t.match(service.log(), /"token":"anna","action":"replay","from":"dead letters"/)
  t.strictSame(complaints, [])
})

t.test('a retry counts down to its due time', { skip }, async (t) => {
  const { service, adminUrl } = await startServiceWithPage(t, { RETRY_MIN_MS: '60000', RETRY_MAX_MS: '60000' })
  await postEvent(service.url, 'ev_counted')
  const browser = await launchBrowser(t)
  const { page } = await openPage(browser, `${adminUrl}/#/deliveries`)
  await page.locator('.badge').getByText(/^http: retrying in \d+ s$/).waitFor()
})
