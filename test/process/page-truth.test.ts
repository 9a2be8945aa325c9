import t from 'tap'
import { launchBrowser, openPage, skip, startServiceWithPage, takeScreenshot } from '../support/browser.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

t.test('nothing is green while dead letters wait or a forwarder is paused', { skip }, async (t) => {
  // With no time for retries, a failed delivery is a dead letter at once.
  const { service, destination, adminUrl } = await startServiceWithPage(t, { RETRY_GIVE_UP_MS: '1' })
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/deliveries`)
  const head = page.getByRole('banner')
  await head.getByText('all well', { exact: true }).waitFor()
  t.match(await page.locator('#readiness').getAttribute('class'), /good/)

  destination.status = 410
  await postEvent(service.url, 'ev_dead')
  await head.getByText('1 thing needs you').waitFor()
  t.match(await page.locator('#readiness').getAttribute('class'), /bad/)
  await head.getByRole('link', { name: 'http has 1 dead letter' }).click()
  await page.getByRole('button', { name: /^Discard: http, / }).waitFor()
  await takeScreenshot(page, 'truth-dead-letters')
  page.on('dialog', (dialog) => { dialog.accept().catch(() => { /* The page was closed. */ }) })
  await page.getByRole('button', { name: /^Discard: http, / }).click()
  await head.getByText('all well', { exact: true }).waitFor()

  await page.goto(`${adminUrl}/#/forwarders`)
  await page.getByRole('button', { name: 'Pause: file' }).click()
  await head.getByRole('link', { name: 'file is paused' }).waitFor()
  t.strictSame(complaints, [])
})

t.test('a destination that is down is shown with the time since when', { skip }, async (t) => {
  const { service, adminUrl } = await startServiceWithPage(t)
  for (let index = 0; index < 6; index++) await postEvent(service.url, `ev_down_${index}`)
  const browser = await launchBrowser(t)
  const { page } = await openPage(browser, `${adminUrl}/#/forwarders`)
  await page.getByRole('banner').getByRole('link', { name: /^http has been down for \d+ (?:second|minute)s?$/ }).waitFor()
  t.equal(await page.locator('tr').filter({ hasText: 'http' }).locator('.badge.good').count(), 0)
})

t.test('a killed or hanging service turns the page red at once, and nothing on it stays green', { skip }, async (t) => {
  const { service, destination, adminUrl } = await startServiceWithPage(t)
  destination.status = 200
  await postEvent(service.url, 'ev_green')
  const browser = await launchBrowser(t)
  const { page } = await openPage(browser, `${adminUrl}/#/forwarders`)
  await page.locator('main .good').first().waitFor()
  const ground = async (): Promise<string> => await page.evaluate<string>("getComputedStyle(document.querySelector('main .good')).backgroundColor")
  const green = await ground()

  // A hanging service keeps its connections open, so only an unanswered request shows that it hangs.
  service.child.kill('SIGSTOP')
  await page.locator('#readiness.bad').getByText('the service does not answer').waitFor()
  t.not(await ground(), green)
  service.child.kill('SIGCONT')
  await page.locator('#readiness.good').waitFor()
  t.equal(await ground(), green)

  await service.kill('SIGKILL')
  await page.locator('#live.bad').getByText('not connected').waitFor()
  await page.locator('#readiness.bad').getByText('the service does not answer').waitFor()
  t.equal(await page.locator('header .good').count(), 0)
  await takeScreenshot(page, 'truth-gone')

  const folder = t.testdir({})
  const again = await startServiceProcess(folder, { ADMIN_PORT: new URL(adminUrl).port })
  t.teardown(async () => { await again.kill('SIGTERM') })
  await page.locator('#live.good').waitFor()
  await page.locator('#readiness.good').waitFor()
  t.equal(await page.locator('#notice').isVisible(), false)
})
