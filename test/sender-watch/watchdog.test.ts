import t, { type Test } from 'tap'
import { loadSettings } from '../../src/config/load-settings.js'
import { openWatchdog } from '../../src/composition/open-watchdog.js'
import { ManagementApiError, type ManagementApi } from '../../src/sender-watch/management-api.js'
import { createOwnUrls } from '../../src/sender-watch/own-urls.js'
import { createWatchdog, type Watchdog } from '../../src/sender-watch/watchdog.js'
import { captureLog, type CapturedLog } from '../support/capture-log.js'
import { eventually } from '../support/eventually.js'
import {
  asking, fakeManagementApi, fakeWebhook, MANAGEMENT_ID, MANAGEMENT_TOKEN, PROJECT_ID, PUBLIC_URL, TIER_EVENTS, type FakeManagementApi, type FakeMood
} from '../support/fake-management-api.js'

const SECRET = 'the-secret-of-the-tests'
const MINUTE = 60_000
const MOODS: readonly FakeMood[] = ['refusing', 'failing', 'busy', 'redirecting', 'hanging', 'garbage', 'endless', 'resetting']

interface Steered {
  elapsed: number
}

interface Watching {
  readonly watchdog: Watchdog
  readonly log: CapturedLog
  readonly time: Steered
  /** The result of one of the checks. */
  readonly stateOf: (check: string) => string | undefined
}

/** The watchdog of a service, over real connections. The test starts each round. */
function watch (t: Test, api: FakeManagementApi, environment: Readonly<Record<string, string>> = {}, dataDir = t.testdir()): Watching {
  const log = captureLog()
  const time: Steered = { elapsed: 0 }
  const watchdog = openWatchdog({
    settings: loadSettings({ environment: { ...asking(api), VOUCHERIFY_WEBHOOK_SECRETS: SECRET, ...environment } }),
    dataDir,
    logger: log.logger,
    clock: { now: () => Date.UTC(2026, 0, 31) + time.elapsed, monotonic: () => time.elapsed },
    version: '1.2.3',
    environment: {},
    timeoutMs: 300
  })
  if (watchdog === undefined) throw new Error('The watchdog is off')
  t.teardown(watchdog.close)
  return { watchdog, log, time, stateOf: (check) => watchdog.status().checks.find((each) => each.check === check)?.state }
}

function puts ({ requests }: FakeManagementApi): readonly unknown[] {
  return requests.filter(({ method }) => method === 'PUT')
}

t.test('the watchdog is off without a management API in the settings', async (t) => {
  const settings = loadSettings({ environment: { PUBLIC_URL } })
  t.equal(openWatchdog({ settings, dataDir: t.testdir(), logger: captureLog().logger, clock: { now: Date.now, monotonic: () => 0 }, version: '1', environment: {} }), undefined)
})

t.test('a correct webhook is reported once, and asked for in the documented way', async (t) => {
  const api = await fakeManagementApi(t)
  const { watchdog, log } = watch(t, api)
  t.match(watchdog.status(), { watching: true, askedAt: null, checks: { length: 0 } })
  await watchdog.ask()
  await watchdog.ask()
  t.strictSame(log.lines.map(({ msg, level, check }) => [msg, level, check]), ['webhook', 'active', 'events', 'secret', 'version'].map((check) => ['webhook status ok', 30, check]))
  t.match(watchdog.status(), { askedAt: '2026-01-31T00:00:00.000Z', failure: null, checks: Array(5).fill({ state: 'ok', since: '2026-01-31T00:00:00.000Z' }) })
  t.strictSame(api.requests.slice(0, 2), [
    { method: 'GET', path: `/management/v1/projects/${PROJECT_ID}/webhooks`, body: undefined }, { method: 'GET', path: `/management/v1/projects/${PROJECT_ID}`, body: undefined }
  ])
})

t.test('an inactive webhook is reported within one round, and so is its recovery', async (t) => {
  const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false })] })
  const { watchdog, log, stateOf } = watch(t, api)
  await watchdog.ask()
  await watchdog.ask()
  t.match(log.find('webhook status wrong'), [{ level: 50, check: 'active', detail: /wh_1 \(https:\/\/hooks\.example\.com\/webhooks\)/ }])
  t.equal(log.find('webhook status wrong').length, 1)
  t.equal(stateOf('active'), 'wrong')
  t.strictSame(puts(api), [], 'without VOUCHERIFY_REENABLE the watchdog changes nothing')
  api.webhooks.splice(0, 1, fakeWebhook())
  await watchdog.ask()
  t.match(log.find('webhook status ok').at(-1), { check: 'active' })
  t.equal(stateOf('active'), 'ok')
})

t.test('VOUCHERIFY_REENABLE switches a webhook on once with its events unchanged, and not twice within the hour, also after a restart', async (t) => {
  const dataDir = t.testdir()
  const events = ['campaign.loyalty_tier.created', 'voucher.misspeled', 'campaign.loyalty_tier.updated']
  const targetUrl = `${PUBLIC_URL}/webhooks?key=1`
  const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false, events, target_url: targetUrl }), fakeWebhook('wh_else', { active: false, target_url: 'https://elsewhere.example/' })] })
  const first = watch(t, api, { VOUCHERIFY_REENABLE: 'true' }, dataDir)
  await first.watchdog.ask()
  t.strictSame(puts(api), [{ method: 'PUT', path: `/management/v1/projects/${PROJECT_ID}/webhooks/wh_1`, body: { target_url: targetUrl, events, active: true } }])
  t.match(first.log.find('webhook switched on by the watchdog'), [{ level: 40, webhookId: 'wh_1', events: 3 }])
  t.equal(first.stateOf('active'), 'ok')
  t.match(first.watchdog.status(), { switchedOn: [{ webhookId: 'wh_1', at: '2026-01-31T00:00:00.000Z' }], switchedOnCount: 1 })

  const switchOff = (): void => { for (const webhook of api.webhooks) webhook.active = false }
  switchOff()
  first.time.elapsed += 30 * MINUTE
  await first.watchdog.ask()
  await first.watchdog.ask()
  t.equal(puts(api).length, 1)
  t.match(first.log.find('webhook not switched on'), [{ level: 50, webhookId: 'wh_1', reason: /within the last hour/ }])
  t.equal(first.log.find('webhook not switched on').length, 1)
  t.equal(first.stateOf('active'), 'wrong')
  await first.watchdog.close()

  const second = watch(t, api, { VOUCHERIFY_REENABLE: 'true' }, dataDir)
  second.time.elapsed += 59 * MINUTE
  await second.watchdog.ask()
  t.equal(puts(api).length, 1)
  // By the watchdog's own clock, an hour starts again at the restart at the latest.
  second.time.elapsed += 60 * MINUTE
  await second.watchdog.ask()
  t.equal(puts(api).length, 2)
  t.equal(second.stateOf('active'), 'ok')
})

t.test('after switching on, the watchdog asks whether the webhook is on', async (t) => {
  const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false })] })
  api.deaf = true
  const { watchdog, stateOf } = watch(t, api, { VOUCHERIFY_REENABLE: 'true' })
  await watchdog.ask()
  t.equal(puts(api).length, 1)
  t.equal(stateOf('active'), 'wrong')
})

t.test('a webhook whose events or id cannot be sent back unchanged is left off, and reported once', async (t) => {
  const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false }), fakeWebhook('../../wh', { active: false })] })
  Reflect.set(api.webhooks[0] ?? {}, 'events', { all: true })
  const { watchdog, log } = watch(t, api, { VOUCHERIFY_REENABLE: 'true' })
  await watchdog.ask()
  await watchdog.ask()
  t.strictSame(puts(api), [])
  t.match(log.find('webhook not switched on'), [{ webhookId: 'wh_1', reason: /which events/ }, { webhookId: '../../wh', reason: /id/ }])
  t.equal(log.find('webhook not switched on').length, 2)
})

t.test('a changed secret is reported, an added one is right again, and neither is ever shown', async (t) => {
  const api = await fakeManagementApi(t)
  const { watchdog, log, stateOf } = watch(t, api)
  await watchdog.ask()
  api.project['webhook_token'] = 'another-secret-of-the-tests'
  await watchdog.ask()
  t.match(log.find('webhook status wrong'), [{ level: 50, check: 'secret', detail: /VOUCHERIFY_WEBHOOK_SECRETS/ }])
  t.equal(stateOf('secret'), 'wrong')
  const both = watch(t, api, { VOUCHERIFY_WEBHOOK_SECRETS: `${SECRET},another-secret-of-the-tests` })
  await both.watchdog.ask()
  t.equal(both.stateOf('secret'), 'ok')
  const told = JSON.stringify([log.lines, watchdog.status(), both.log.lines, both.watchdog.status()])
  for (const secret of [SECRET, 'another-secret-of-the-tests', MANAGEMENT_ID, MANAGEMENT_TOKEN]) t.notMatch(told, secret)
})

for (const mood of MOODS) {
  t.test(`a management API that is ${mood} is reported once by a warning, and only its answers are missing`, async (t) => {
    const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false })] })
    const { watchdog, log, time, stateOf } = watch(t, api, { VOUCHERIFY_REENABLE: 'true' })
    api.mood = mood
    await watchdog.ask()
    await watchdog.ask()
    t.match(log.lines, [{ level: 40, msg: 'management api does not answer', reason: /^Voucherify/ }])
    t.equal(log.lines.length, 1)
    t.match(watchdog.status(), { askedAt: null, failure: { since: '2026-01-31T00:00:00.000Z' }, checks: { length: 0 } })
    t.strictSame(puts(api), [])

    api.mood = 'well'
    await watchdog.ask()
    t.match(log.find('management api answers again'), [{ level: 30 }])
    t.match(watchdog.status(), { failure: null })
    t.equal(stateOf('active'), 'ok')

    api.mood = mood
    time.elapsed += 14 * MINUTE
    await watchdog.ask()
    t.equal(stateOf('secret'), 'ok')
    time.elapsed += 2 * MINUTE
    t.equal(stateOf('secret'), 'unknown', 'a state that is not confirmed for long is unknown')
    t.equal(watchdog.status().unansweredMs, 16 * MINUTE)
    t.notMatch(JSON.stringify([log.lines, watchdog.status()]), MANAGEMENT_TOKEN, 'the token is hidden even if the API sends it back')
  })
}

t.test('while the management API is away, a wrong state stays wrong', async (t) => {
  const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false })] })
  const { watchdog, time, stateOf } = watch(t, api)
  await watchdog.ask()
  api.mood = 'resetting'
  time.elapsed += 24 * 60 * MINUTE
  await watchdog.ask()
  t.equal(stateOf('active'), 'wrong')
})

t.test('a stop does not wait for a management API that hangs', async (t) => {
  const api = await fakeManagementApi(t)
  api.mood = 'hanging'
  const { watchdog, log } = watch(t, api)
  const asked = watchdog.ask()
  await eventually(() => api.requests.length > 0 ? true : undefined, 'a request')
  await watchdog.close()
  await watchdog.close()
  await asked
  t.strictSame(log.lines, [])
})

/** A watchdog over a simulated API, and the waits that it requests. */
function scripted (t: Test, api: Partial<ManagementApi>, random = 0.5) {
  const log = captureLog()
  const waits: number[] = []
  let next = (): void => {}
  const watchdog = createWatchdog({
    api: {
      webhooks: async () => ({ webhooks: [{ id: 'wh_1', targetUrl: `${PUBLIC_URL}/webhooks`, events: TIER_EVENTS, active: true }], complete: true }),
      project: async () => ({ webhookToken: SECRET, webhookVersion: undefined }),
      switchOn: async () => {},
      ...api
    },
    urls: createOwnUrls({ publicUrl: PUBLIC_URL, customWebhooks: [] }),
    secrets: [SECRET],
    logger: log.logger,
    clock: { now: Date.now, monotonic: () => 0 },
    random: () => random,
    after (ms, run) {
      waits.push(ms)
      next = run
      return () => {}
    },
    closeApi: async () => {}
  })
  t.teardown(watchdog.close)
  return {
    watchdog,
    log,
    waits,
    /** Lets the requested time pass, and resolves at the next wait. */
    async turn () {
      const before = waits.length
      next()
      await eventually(() => waits.length > before ? true : undefined, 'the next wait')
    }
  }
}

t.test('the watchdog asks at the start and every five minutes, a tenth sooner or later', async (t) => {
  for (const [random, waits] of [[0.5, [1000, 300_000, 300_000]], [0, [0, 270_000, 270_000]], [1, [2000, 330_000, 330_000]]] as const) {
    const script = scripted(t, {}, random)
    script.watchdog.start()
    script.watchdog.start()
    await script.turn()
    await script.turn()
    t.strictSame(script.waits, waits)
  }
})

t.test('after failures the watchdog asks less often, up to once an hour, or as late as the server requests', async (t) => {
  let error: Error | undefined = new ManagementApiError('away')
  const script = scripted(t, { project: async () => { if (error !== undefined) throw error; return { webhookToken: SECRET, webhookVersion: undefined } } })
  script.watchdog.start()
  for (let turn = 0; turn < 7; turn++) await script.turn()
  t.strictSame(script.waits.slice(1).map((ms) => ms / MINUTE), [5, 10, 20, 40, 60, 60, 60])
  error = undefined
  await script.turn()
  error = new ManagementApiError('busy', { retryAfterMs: 20 * MINUTE })
  await script.turn()
  t.strictSame(script.waits.slice(8).map((ms) => ms / MINUTE), [5, 21])
})

t.test('the watchdog never asks sooner than the server requests', async (t) => {
  const script = scripted(t, { project: async () => { throw new ManagementApiError('busy', { retryAfterMs: 20 * MINUTE }) } }, 0)
  script.watchdog.start()
  await script.turn()
  t.strictSame(script.waits.slice(1).map((ms) => ms / MINUTE), [20])
})

t.test('no second request follows an answer that asks for a pause', async (t) => {
  let projects = 0
  const script = scripted(t, {
    webhooks: async () => { throw new ManagementApiError('busy', { retryAfterMs: MINUTE }) },
    async project () {
      projects++
      return { webhookToken: SECRET, webhookVersion: undefined }
    }
  })
  await script.watchdog.ask()
  t.equal(projects, 0)
  t.match(script.watchdog.status().failure, { reason: 'busy' })
})

t.test('a failed request for the project does not affect the results about webhooks', async (t) => {
  const script = scripted(t, { project: async () => { throw new ManagementApiError('no right to see it') } })
  await script.watchdog.ask()
  t.strictSame(script.watchdog.status().checks.map(({ check, state }) => [check, state]), [['webhook', 'ok'], ['active', 'ok'], ['events', 'ok']])
  t.match(script.watchdog.status().failure, { reason: 'no right to see it' })
})

t.test('an internal error is logged, and the next round still runs', async (t) => {
  const script = scripted(t, { webhooks: async () => { throw new TypeError('a defect') } })
  script.watchdog.start()
  await script.turn()
  t.match(script.log.find('watchdog failed'), [{ level: 50, err: { message: 'a defect' } }])
})
