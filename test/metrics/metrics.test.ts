import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { loadSettings } from '../../src/config/load-settings.js'
import { systemClock } from '../../src/delivery/clock.js'
import type { WebhookAnswer } from '../../src/delivery/observation.js'
import { createMetrics, type MetricSources } from '../../src/metrics/metrics.js'
import { createObservationsFile } from '../../src/sender-watch/observations-file.js'
import { createWatch } from '../../src/composition/watch.js'
import { watchdogOff } from '../../src/sender-watch/webhook-status.js'
import { createService } from '../../src/composition/service.js'
import { sampleEvent } from '../../src/voucherify/samples.js'
import { captureLines } from '../support/capture-lines.js'
import { captureLog } from '../support/capture-log.js'
import { envelopeAround } from '../support/envelope-around.js'
import { eventually } from '../support/eventually.js'
import { localThreads } from '../support/local-threads.js'
import { webhookClient } from '../support/post-webhook.js'

const nothing: MetricSources = {
  store: async () => undefined,
  storeBytes: async () => undefined,
  diskFreeBytes: async () => undefined,
  ready: async () => false,
  forwarders: () => [],
  drift: () => [],
  retryBudget: () => [],
  unproven: () => [],
  missingEvents: () => [],
  webhookStatus: () => watchdogOff
}

interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<{ readonly name: string, readonly labels: string, readonly value: number }>
}

/** Parses Prometheus' text format strictly. */
function parse (text: string): readonly Family[] {
  return text.split(/^(?=# HELP )/m).map((block) => {
    const [help, type, ...lines] = block.split('\n').filter((line) => line !== '')
    const [, name = '', words = ''] = /^# HELP (\S+) (.*)$/.exec(help ?? '') ?? []
    const [, typed, kind = ''] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(type ?? '') ?? []
    if (typed !== name) throw new Error(`HELP and TYPE are not of one metric: ${block}`)
    const samples = lines.map((line) => {
      const [, sample, labels = '', value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      if (sample === undefined) throw new Error(`no sample: ${line}`)
      return { name: sample, labels, value: Number(value) }
    })
    return { name, type: kind, help: words, samples }
  })
}

/** The complaints of promtool's linter, and of Prometheus' page on naming. */
function lint (families: readonly Family[]): string[] {
  const complaints: string[] = []
  const seen = new Set<string>()
  for (const { name, type, help, samples } of families) {
    const complain = (what: string): void => { complaints.push(`${name} ${what}`) }
    if (seen.has(name)) complain('is there twice')
    seen.add(name)
    if (!/^[a-z][a-z0-9_]*$/.test(name) || name.includes('__')) complain('is not in snake case')
    if (help === '' || !/[a-z]/.test(help)) complain('has no help text')
    if ((type === 'counter') !== name.endsWith('_total')) complain(type === 'counter' ? 'is a counter without _total' : 'is no counter and ends with _total')
    if (/_(?:count|sum|bucket)$/.test(name)) complain('has the ending of a histogram\'s part')
    if (/(?:^|_)(?:ms|millis|milliseconds|minutes|hours|days|kb|mb|kilobytes|megabytes|percent)(?:_|$)/.test(name)) complain('is not in a base unit')
    if (/(?:gauge|counter|histogram|summary)/.test(name)) complain('has its type in its name')
    if (samples.some((sample) => Number.isNaN(sample.value))) complain('has a value that is no number')
    if (new Set(samples.map((sample) => `${sample.name}{${sample.labels}}`)).size < samples.length) complain('has a series twice')
    if (type === 'histogram') {
      if (samples.length > 0 && !samples.some((sample) => sample.labels.includes('le="+Inf"'))) complain('has no last bucket')
    } else if (samples.some((sample) => sample.name !== name && type !== 'summary')) {
      complain('has samples of another name')
    }
  }
  return complaints
}

/** The number of tierhook's series. Node.js's own series change with the work of the process. */
function countSeries (text: string): number {
  return text.split('\n').filter((line) => line.startsWith('tierhook_')).length
}

/** A service with an operator's listener, and its metrics. */
async function start (t: Test, environment: Readonly<Record<string, string>>) {
  const settings = loadSettings({ environment: { PORT: '0', DATA_DIR: t.testdir(), ...environment } })
  const agent = new Agent()
  const service = createService({ settings, logger: captureLog().logger, logDestination: captureLines(), threads: localThreads(), adminPort: 0 })
  t.teardown(async () => {
    await agent.destroy()
    await service.close()
  })
  const { url, adminUrl = '' } = await service.start()
  const admin = webhookClient(adminUrl, agent, undefined)
  return {
    ...webhookClient(url, agent, settings.VOUCHERIFY_WEBHOOK_SECRETS[0]),
    async metrics () {
      const response = await request(`${adminUrl}/metrics`, { dispatcher: agent })
      t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/)
      return await response.body.text()
    },
    api: async (path: string) => (await admin.get(path)).body
  }
}

t.test('the metrics follow the conventions of Prometheus, and are complete', async (t) => {
  const service = await start(t, { VOUCHERIFY_WEBHOOK_SECRETS: 'secret', EXPECT_EVENT_WITHIN: '*=24h' })
  const event = envelopeAround('customer.loyalty.tier.left', { ...sampleEvent('customer.loyalty.tier.left', { index: 0, now: new Date(0) }), extra: 1 })
  t.equal((await service.post('/webhooks', event)).status, 202)
  t.equal((await service.post('/webhooks', event)).status, 200)
  t.equal((await service.post('/webhooks', event, { secret: 'another' })).status, 401)
  const text = await eventually(async () => {
    const told = await service.metrics()
    return told.includes('tierhook_forwarder_attempts_total{forwarder="log",outcome="forwarded"} 1\n') ? told : undefined
  }, 'the attempt')
  const families = parse(text)
  t.strictSame(lint(families.filter(({ name }) => name.startsWith('tierhook_'))), [])
  t.strictSame(families.filter(({ name }) => name.startsWith('tierhook_')).map(({ name }) => name).sort(), [
    'build_info', 'dead_letters', 'disk_free_bytes', 'drift_total', 'expected_event_age_seconds', 'expected_event_limit_seconds',
    'forwarder_attempt_duration_seconds', 'forwarder_attempts_total', 'forwarder_backlog_deliveries',
    'forwarder_breaker_open', 'forwarder_oldest_waiting_seconds', 'forwarder_paused', 'journal_commit_deliveries', 'journal_commit_duration_seconds',
    'journal_commit_failures_total', 'leads', 'quarantine_evicted_total', 'quarantined_deliveries', 'ready', 'signatures_total',
    'source_seconds_until_disabled', 'source_tries_allowed', 'source_tries_used', 'store_bytes', 'unproven_tries_used', 'webhook_duration_seconds',
    'webhook_status', 'webhook_status_unanswered_seconds', 'webhook_switched_on_total', 'webhooks_total'
  ].map((name) => `tierhook_${name}`))
  for (const line of [
    'tierhook_webhooks_total{event_type="customer.loyalty.tier.left",verdict="valid",answer="accepted"} 1',
    'tierhook_webhooks_total{event_type="customer.loyalty.tier.left",verdict="valid",answer="duplicate"} 1',
    'tierhook_webhooks_total{event_type="none",verdict="none",answer="signature_wrong"} 1',
    'tierhook_signatures_total{secret="1"} 2',
    'tierhook_forwarder_attempts_total{forwarder="log",outcome="forwarded"} 1',
    'tierhook_drift_total{event_type="customer.loyalty.tier.left",kind="unknown key"} 1',
    'tierhook_unproven_tries_used{from="known"} 1',
    'tierhook_unproven_tries_used{from="other"} 0',
    'tierhook_ready 1',
    'tierhook_quarantined_deliveries 0'
  ]) t.ok(text.includes(`${line}\n`), line)
  t.ok((families.find(({ name }) => name === 'tierhook_store_bytes')?.samples[0]?.value ?? 0) > 0)
  t.match(await service.metrics(), 'verdict="valid",answer="accepted"} 1\n', 'reading the metrics changes no counter')
  t.match(await service.api('/api/drift'), { differences: [{ kind: 'unknown key', pointer: '/data/extra', count: 1, lastAt: /Z$/ }], dropped: 0 })
  t.match(await service.api('/api/retry-budget'), {
    sources: { length: 0 },
    unproven: { signedAt: /Z$/, refused: [{ from: 'known', count: 1, triesUsed: 1, lastCode: 'SIGNATURE_WRONG', since: /Z$/, disabledAt: /Z$/ }], addresses: [{ address: '127.0.0.1', known: true, count: 1 }] }
  })
  t.match(await service.api('/api/missing-events'), { expectations: [{ expectation: '*', missing: false, lastAt: /Z$/ }] })
  t.match(await service.api('/api/status'), { ready: true, reasons: { length: 0 }, storeBytes: Number, diskFreeBytes: Number })
})

t.test('twenty thousand random paths, types and sources create no series', async (t) => {
  const service = await start(t, {})
  const send = async (index: number): Promise<void> => {
    const body = { ...envelopeAround(`made.up.${index}`, {}, index), source: { id: `distr_${index}`, object: 'distribution' } }
    const path = ['/webhooks', `/webhooks/made.up.${index}`, `/webhooks/custom/name-${index}`, `/${index}`][index % 4] ?? ''
    await service.post(path, index % 8 < 4 ? body : `{${index}`)
  }
  for (let index = 0; index < 8; index++) await send(index)
  const before = countSeries(await service.metrics())
  for (let index = 8; index < 400; index++) await send(index)
  t.equal(countSeries(await service.metrics()), before)

  const watch = createWatch({
    dataDir: t.testdir(),
    logger: captureLog().logger,
    clock: systemClock,
    version: '1',
    secrets: 1,
    diskFreeMinBytes: 0,
    expectations: [{ pattern: '*', withinMs: 1000 }],
    observations: createObservationsFile({ dataDir: t.testdir(), logger: captureLog().logger, monotonic: systemClock.monotonic }),
    leads: () => true,
    isStopping: () => false,
    journal: { isOpen: () => true, trouble: () => undefined, waitsFor: () => undefined, probe: async () => undefined },
    store: async () => ({ forwarders: [], quarantined: 0 }),
    forwarders: () => [],
    forwarderNames: ['log'],
    webhookStatus: () => watchdogOff,
    metrics: true
  })
  t.teardown(watch.close)
  const tell = (index: number): void => {
    const common = { deliveryId: String(index), sourceId: `distr_${index}`, eventId: `ev_${index}`, sourceObject: null, faults: [], secretNumber: 1, sourceAddress: `192.0.2.${index % 256}`, body: { [`key${index}`]: 1 } } as const
    const type = ['made.up', 'custom', 'customer.loyalty'][index % 3] ?? ''
    watch.observer.webhookAnswered?.({ ...common, outcome: 'accepted', status: 202, ms: index % 20, eventType: `${type}.${index}`, verdict: 'unvalidated', quarantined: false, late: false })
    watch.observer.webhookAnswered?.({ outcome: 'refused', status: 401, ms: 1, code: 'SIGNATURE_WRONG', toWebhook: true, sourceAddress: `2001:db8:${index.toString(16)}::1`, proven: undefined })
  }
  tell(0)
  const first = countSeries(await watch.metrics?.text() ?? '')
  for (let index = 1; index < 20_000; index++) tell(index)
  const text = await watch.metrics?.text() ?? ''
  t.equal(countSeries(text), first)
  t.ok(text.includes('tierhook_webhooks_total{event_type="other",verdict="unvalidated",answer="accepted"} 20000\n'))
})

t.test('a value that cannot be read is left out, and does not affect others', async (t) => {
  const metrics = createMetrics({ version: '1', secrets: 2, forwarderNames: ['log'], sources: nothing, now: Date.now })
  t.teardown(() => { metrics.close() })
  const text = await metrics.text()
  for (const name of ['store_bytes', 'disk_free_bytes', 'quarantined_deliveries', 'forwarder_backlog_deliveries']) t.notMatch(text, new RegExp(`^tierhook_${name}[ {]`, 'm'))
  t.match(text, /^tierhook_ready 0$/m)
  t.match(text, /^tierhook_signatures_total\{secret="2"\} 0$/m)
})

t.test('attempts and commits are counted by their outcome', async (t) => {
  const metrics = createMetrics({ version: '1', secrets: 0, forwarderNames: ['http'], sources: { ...nothing, forwarders: () => [{ name: 'http', breakerOpen: true, paused: false }] }, now: Date.now })
  t.teardown(() => { metrics.close() })
  const { observer } = metrics
  observer.attemptsEnded?.({ forwarder: 'http', durationMs: 30, counts: { forwarded: 2, retry: 1, dead: 1 }, last: { status: 'dead', reason: 'x' } })
  observer.attemptsEnded?.({ forwarder: 'unheard of', durationMs: 30, counts: { forwarded: 1, retry: 0, dead: 0 }, last: { status: 'forwarded' } })
  observer.committed?.({ deliveries: 3, ms: 4 })
  observer.committed?.({ deliveries: 0, ms: 4 })
  observer.committed?.({ deliveries: 3, ms: 4, error: new Error('full') })
  const refusal: WebhookAnswer = { outcome: 'refused', status: 503, ms: 2, code: 'JOURNAL_UNAVAILABLE', toWebhook: true, sourceAddress: undefined, proven: undefined }
  observer.webhookAnswered?.(refusal)
  const text = await metrics.text()
  for (const line of [
    'tierhook_forwarder_attempts_total{forwarder="http",outcome="forwarded"} 2',
    'tierhook_forwarder_attempts_total{forwarder="http",outcome="dead"} 1',
    'tierhook_forwarder_attempt_duration_seconds_count{forwarder="http"} 1',
    'tierhook_forwarder_breaker_open{forwarder="http"} 1',
    'tierhook_journal_commit_failures_total 1',
    'tierhook_journal_commit_deliveries_sum 3',
    'tierhook_journal_commit_duration_seconds_count 2',
    'tierhook_webhooks_total{event_type="none",verdict="none",answer="journal_unavailable"} 1',
    'tierhook_webhook_duration_seconds_bucket{le="0.0025",answer="refused"} 1'
  ]) t.ok(text.includes(`${line}\n`), line)
  t.notMatch(text, 'unheard')
})
