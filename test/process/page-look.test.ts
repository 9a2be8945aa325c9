import type { Page } from 'playwright-core'
import t from 'tap'
import { fits, launchBrowser, openPage, skip, takeScreenshot } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { startTroubledService } from '../support/troubled-service.js'

const widths = [390, 900, 1440]
/** The widths at which tables have the least room. */
const tightWidths = [1125, 1280]
const themes = ['light', 'dark'] as const

/**
 * Finds parts of the page with too little contrast (WCAG 2.2, 1.4.3 and 1.4.11): text below 4.5:1, or 3:1 if it is large; the edges of fields and
 * buttons below 3:1. Runs in the browser.
 */
const LOW_CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return canvas.getImageData(0, 0, 1, 1).data
  }
  const luminance = (colour) => {
    const [r, g, b] = [...rgba(colour)].slice(0, 3).map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
    return (light + 0.05) / (dark + 0.05)
  }
  const groundOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at)
      if (rgba(backgroundColor)[3] === 255) return backgroundColor
    }
    return 'white'
  }
  const low = []
  for (const element of document.querySelectorAll('body *')) {
    const style = getComputedStyle(element)
    if (element.closest('[hidden], .unseen, .skip, noscript, script') !== null || style.visibility === 'hidden' || element.getClientRects().length === 0) continue
    const isText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
    const inSvg = element instanceof SVGElement
    if (isText && element.tagName !== 'title') {
      const size = parseFloat(style.fontSize)
      const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5
      const found = ratio(inSvg ? style.fill : style.color, groundOf(inSvg ? element.ownerSVGElement : element))
      if (found < needed && !element.matches(':disabled')) low.push(element.textContent.slice(0, 30) + ': ' + found.toFixed(2))
    }
    if (element.matches('input, select, button, .switch a')) {
      const found = Math.max(ratio(style.borderTopColor, groundOf(element.parentElement)), ratio(style.backgroundColor, groundOf(element.parentElement)))
      if (found < 3) low.push('edge of ' + (element.name || element.textContent) + ': ' + found.toFixed(2))
    }
    if (element.matches('path[class^=kind], .sparkline path, .tierline path')) {
      const found = ratio(style.fill === 'none' ? style.stroke : style.fill, groundOf(element.ownerSVGElement))
      if (found < 3) low.push('line of ' + element.getAttribute('class') + ': ' + found.toFixed(2))
    }
  }
  return [...new Set(low)]
})()`

/** Names of two elements that do different things. Runs in the browser. */
const SHARED_NAMES = `(() => {
  const seen = new Map()
  const shared = []
  for (const element of document.querySelectorAll('a[href], button, input, select')) {
    if (element.getClientRects().length === 0) continue
    const name = (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent).trim()
    const does = element.getAttribute('href') ?? element.tagName + name + seen.size
    if (name === '') shared.push('no name: ' + element.outerHTML.slice(0, 80))
    else if (seen.has(name) && seen.get(name) !== does) shared.push(name)
    seen.set(name, does)
  }
  return shared
})()`

/** Words of tables that break in the middle. Runs in the browser. */
const BROKEN_WORDS = `[...document.querySelectorAll('td a, td .badge, td .move, td strong, nav a, th, button')].filter((element) => {
  const lines = new Set([...element.getClientRects()].map(({ top }) => Math.round(top)))
  return lines.size > 1 && !/[\\s.]/.test(element.textContent.trim())
}).map((element) => element.textContent)`

async function shown (page: Page): Promise<void> {
  await page.locator('main [aria-label]:not([aria-busy])').first().waitFor()
}

t.test('every view fits a phone, a tablet and a desktop, in light and dark, with AA contrast, distinct names and complete words', { skip }, async (t) => {
  const { adminUrl } = await startTroubledService(t, { deliveries: 40 })
  const browser = await launchBrowser(t)
  const { page, complaints } = await openPage(browser, `${adminUrl}/#/dead-letters`, { viewport: { width: 1440, height: 900 } })
  await page.locator('tbody tr').first().waitFor()
  await page.goto(`${adminUrl}/#/deliveries`)
  await page.locator('tbody tr').nth(20).waitFor()
  const first = await page.locator('tbody td[data-label="Received"] a').nth(5).getAttribute('href') ?? ''
  const customer = await page.locator('tbody td[data-label="Customer"] a').nth(5).getAttribute('href') ?? ''
  const views = {
    overview: '#/overview', 'overview-day': '#/overview?span=day', deliveries: '#/deliveries', delivery: first, customer, forwarders: '#/forwarders', quarantine: '#/quarantine', 'dead-letters': '#/dead-letters', sender: '#/sender', drift: '#/drift', actions: '#/actions'
  }
  for (const theme of themes) {
    await eventually(async () => {
      await page.locator('#theme').click()
      return await page.locator('#theme').textContent() === `Theme: ${theme}` ? true : undefined
    }, `the theme ${theme}`)
    for (const [name, hash] of Object.entries(views)) {
      await page.goto(`${adminUrl}/${hash}`)
      await shown(page)
      for (const width of widths) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
        const place = `${name} at ${width} in ${theme}`
        t.ok(await fits(page), `${place}: nothing overflows the page`)
        t.strictSame(await page.evaluate(BROKEN_WORDS), [], `${place}: no word is broken`)
        await takeScreenshot(page, `look-${name}-${width}-${theme}`, { fullPage: false })
      }
      for (const width of tightWidths) {
        await page.setViewportSize({ width, height: 900 })
        t.ok(await fits(page), `${name} at ${width} in ${theme}: nothing overflows the page`)
      }
      t.strictSame(await page.evaluate(LOW_CONTRAST), [], `${name} in ${theme}: enough contrast`)
      t.strictSame(await page.evaluate(SHARED_NAMES), [], `${name} in ${theme}: no two controls share a name`)
      t.equal(await page.locator('h1').count(), 1)
      for (const landmark of ['banner', 'navigation', 'main'] as const) t.equal(await page.getByRole(landmark).count(), 1, landmark)
    }
  }
  t.equal(await page.evaluate<string>('localStorage.getItem("tierhook-theme")'), 'dark', 'the chosen theme is saved')

  await page.goto(`${adminUrl}/#/deliveries`)
  await page.locator('tbody tr').nth(20).waitFor()
  await page.setViewportSize({ width: 1440, height: 900 })
  const rows = await page.evaluate<number>("[...document.querySelectorAll('tbody tr')].filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length")
  t.ok(rows >= 10, `${rows} whole rows at 1440 × 900`)
  t.match(await page.locator('tbody time').first().textContent(), /^(?:now|\d+ (?:s|min) ago) \d\d:\d\d:\d\d UTC$/)
  t.match(await page.locator('link[rel=icon]').getAttribute('href'), /^data:image\/svg/)
  await page.setViewportSize({ width: 1440, height: 600 })
  await takeScreenshot(page, 'look-for-the-readme', { fullPage: false })
  t.strictSame(complaints, [])
})
