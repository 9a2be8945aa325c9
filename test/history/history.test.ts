import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { EndedAttempts, WebhookAnswer } from '../../src/delivery/observation.js'
import { countDuration, percentile } from '../../src/history/durations.js'
import { createHistory, OTHER_TYPES, type History } from '../../src/history/history.js'
import { historyPath, keepHistory, readHistory } from '../../src/history/history-file.js'
import { reportHistory } from '../../src/history/report-history.js'
import { captureLog } from '../support/capture-log.js'

const START = Date.parse('2026-01-31T08:00:00Z')
const MINUTE = 60_000
const forwarderNames = ['crm', 'gifts']

function setUp () {
  const clock = { now: START }
  const history = createHistory({ now: () => clock.now, forwarderNames })
  return { clock, history, report: () => reportHistory(history, { now: clock.now, forwarderNames }) }
}

function accept (history: History, eventType: string, outcome: 'accepted' | 'duplicate' = 'accepted'): void {
  const answer: Partial<WebhookAnswer> = { outcome, eventType }
  history.observer.webhookAnswered?.(answer as WebhookAnswer)
}

function end (history: History, attempts: Partial<Omit<EndedAttempts, 'counts'>> & { counts: Partial<EndedAttempts['counts']> }): void {
  history.observer.attemptsEnded?.({ forwarder: 'crm', durationMs: 10, last: { status: 'forwarded' }, ...attempts, counts: { forwarded: 0, retry: 0, dead: 0, ...attempts.counts } })
}

t.test('events are counted by type and minute, and by five minutes for a day; duplicates are not', async (t) => {
  const { clock, history, report } = setUp()
  accept(history, 'a')
  accept(history, 'a', 'duplicate')
  clock.now += 2 * MINUTE
  accept(history, 'a')
  accept(history, 'b')
  const { hour, day } = report()
  t.equal(hour.startedAt, new Date(clock.now - 59 * MINUTE).toISOString())
  t.strictSame(hour.types.map(({ eventType, counts }) => [eventType, counts.length, counts.slice(-3)]), [['a', 60, [1, 0, 1]], ['b', 60, [0, 0, 1]]])
  t.strictSame(day.types.map(({ eventType, counts }) => [eventType, counts.length, counts.slice(-2)]), [['a', 288, [0, 2]], ['b', 288, [0, 1]]])
  clock.now += 60 * MINUTE
  t.strictSame(report().hour.types, [])
  t.strictSame(report().day.types[0]?.counts.reduce((sum, count) => sum + count, 0), 2)
})

t.test('memory is bounded, whatever event types a sender uses, and however long the service runs', async (t) => {
  const { clock, history, report } = setUp()
  for (let minute = 0; minute < 3000; minute++) {
    accept(history, `type ${minute % 7}`)
    clock.now += MINUTE
  }
  for (let type = 0; type < 1000; type++) accept(history, `made up ${type}`)
  accept(history, 'x'.repeat(1000))
  accept(history, 'hasOwnProperty')
  end(history, { forwarder: 'not configured', counts: { forwarded: 1 } })
  t.equal(history.slots('hour').length, 60)
  t.equal(history.slots('day').length, 288)
  t.equal(Object.keys(history.slots('hour').at(-1)?.events ?? {}).length, 21)
  const { hour } = report()
  t.equal(hour.types.length, 8)
  t.match(hour.types.at(-1), { eventType: OTHER_TYPES })
  t.equal(hour.types.reduce((sum, { counts }) => sum + (counts.at(-1) ?? 0), 0), 1002)
  t.strictSame(hour.forwarders.map(({ name }) => name), forwarderNames)
})

t.test('a forwarder has its success rate, p50, p95 and backlog over time', async (t) => {
  const { clock, history, report } = setUp()
  for (let index = 1; index <= 100; index++) end(history, { durationMs: index, counts: { forwarded: 1 } })
  end(history, { durationMs: 5000, counts: { retry: 1 } })
  history.setBacklog('crm', 7)
  history.setBacklog('unknown', 7)
  clock.now += 2 * MINUTE
  history.setBacklog('crm', 3)
  const [crm, gifts] = report().hour.forwarders
  t.match(crm, { attempts: 101, forwarded: 100, successRate: 100 / 101 })
  t.strictSame(crm?.backlog.slice(-3), [7, null, 3])
  t.ok(Math.abs((crm?.p50Ms ?? 0) - 50) <= 8, `p50 ${crm?.p50Ms}`)
  t.ok(Math.abs((crm?.p95Ms ?? 0) - 95) <= 13, `p95 ${crm?.p95Ms}`)
  t.match(gifts, { attempts: 0, successRate: null, p50Ms: null, p95Ms: null })
  const classes = {}
  for (const ms of [0, 0.1, 1]) countDuration(classes, ms)
  t.ok((percentile([classes], 1) ?? 9) <= 1)
})

t.test('a type or a forwarder with the name of a member of every object, such as constructor, is counted like any other', async (t) => {
  const odd = ['constructor', 'toString', '__proto__']
  const clock = { now: START }
  const create = () => createHistory({ now: () => clock.now, forwarderNames: odd })
  const first = create()
  for (const name of odd) {
    accept(first, name)
    end(first, { forwarder: name, counts: { forwarded: 1 } })
  }
  const history = create()
  history.restore(JSON.parse(JSON.stringify(first.keep())))
  clock.now += MINUTE
  accept(history, 'a')
  for (const name of odd) end(history, { forwarder: name, counts: { retry: 1 } })
  const { hour } = reportHistory(history, { now: clock.now, forwarderNames: odd })
  t.strictSame(hour.types.map(({ eventType, counts }) => [eventType, ...counts.slice(-2)]), [...odd.map((name) => [name, 1, 0]), ['a', 0, 1]])
  t.strictSame(hour.forwarders.map(({ name, attempts, forwarded }) => [name, attempts, forwarded]), odd.map((name) => [name, 2, 1]))
})

t.test('a clock that is set back loses no counts and does not make the ring grow', async (t) => {
  const { clock, history } = setUp()
  accept(history, 'a')
  clock.now -= 10 * MINUTE
  accept(history, 'a')
  t.strictSame(history.slots('hour').map(({ events }) => Object.entries(events)), [[['a', 2]]])
})

t.test('the history continues after a restart, with the time since when a destination fails, and drops old entries', async (t) => {
  const dataDir = t.testdir()
  t.equal(await readHistory(dataDir), undefined)
  const { clock, history } = setUp()
  accept(history, 'old')
  clock.now += 50 * MINUTE
  accept(history, 'new')
  history.setBacklog('crm', 7)
  end(history, { counts: { retry: 1 } })
  const failedAt = clock.now
  const kept = keepHistory({ dataDir, logger: captureLog().logger, history })
  kept.start()
  await kept.close()

  const after = createHistory({ now: () => failedAt + 20 * MINUTE, forwarderNames })
  const earlier = await readHistory(dataDir)
  if (earlier === undefined) throw new Error('nothing was kept')
  after.restore(earlier)
  const { hour, day } = reportHistory(after, { now: failedAt + 20 * MINUTE, forwarderNames })
  t.strictSame(hour.types.map(({ eventType }) => eventType), ['new'])
  t.strictSame(day.types.map(({ eventType }) => eventType).sort(), ['new', 'old'])
  t.equal(hour.forwarders[0]?.backlog.at(-21), 7)
  t.equal(after.failingSince('crm'), failedAt)

  writeFileSync(historyPath(dataDir), '{"version":1,"hour":{}}')
  await t.rejects(readHistory(dataDir), /not a file of history/)
})

t.test('a disk that cannot store the history is reported once', async (t) => {
  const dataDir = t.testdir()
  mkdirSync(historyPath(dataDir))
  const log = captureLog()
  const { history } = setUp()
  const kept = keepHistory({ dataDir, logger: log.logger, history })
  await kept.save()
  await kept.save()
  t.strictSame(log.find('history not kept').map(({ path }) => path), [historyPath(dataDir)])
})
