import { deepStrictEqual } from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import { systemClock } from '../../src/delivery/clock.js'
import { databasePath } from '../../src/journal/sqlite/database.js'
import { createWholeJournal, type WholeJournal } from '../support/whole-journal.js'
import { buildApp } from '../support/build-app.js'
import { readLines } from '../support/crash-rounds.js'
import { eventually } from '../support/eventually.js'
import { localThreads, type LocalThreads } from '../support/local-threads.js'
import { eventBody, PROCESS_SECRET, postEvent, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

/** A receiver of events that crashes. */
interface System {
  /** The id of the event's delivery. `undefined` if no answer came, or a 503. */
  readonly send: (eventId: string) => Promise<{ readonly status: number, readonly id: string } | undefined>
  /** Crashes during the sends, before or after their commit, and starts again. */
  readonly crash: (when: 'before' | 'after', sends: () => Promise<unknown>) => Promise<void>
  readonly restart: () => Promise<void>
  /** Resolves with the events of all deliveries when there are this many. */
  readonly deliveries: (count: number) => Promise<readonly string[]>
}

const events = fc.array(fc.nat(4), { minLength: 1, maxLength: 5 })
const steps = fc.array(fc.oneof(
  { weight: 3, arbitrary: fc.record({ step: fc.constant('send' as const), events }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('crash' as const), events, when: fc.constantFrom('before' as const, 'after' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('restart' as const) }) }
), { minLength: 2, maxLength: 7 })

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never

/** Plays the steps, retries unanswered events like the sender, and returns contradictions to one delivery for each event. */
async function contradictions (system: System, play: Steps): Promise<readonly string[]> {
  const ids = new Map<string, Set<string>>()
  const news: string[] = []
  const sent = new Set<string>()

  async function send (eventId: string): Promise<void> {
    sent.add(eventId)
    const answer = await system.send(eventId)
    if (answer === undefined) return
    if (answer.status === 202) news.push(eventId)
    ids.set(eventId, (ids.get(eventId) ?? new Set()).add(answer.id))
  }

  for (const each of play) {
    if (each.step === 'restart') await system.restart()
    else {
      // All at once, each on its own connection, so that copies race.
      const sendAll = async (): Promise<void> => { await Promise.all(each.events.map(async (event) => { await send(`ev_${event}`) })) }
      if (each.step === 'send') await sendAll()
      else await system.crash(each.when, sendAll)
    }
  }
  for (const eventId of sent) {
    await eventually(async () => {
      if (!ids.has(eventId)) await send(eventId)
      return ids.get(eventId)
    }, `${eventId} to be accepted`)
  }
  const deliveries = await system.deliveries(sent.size)
  return [...sent].flatMap((eventId) => {
    const count = deliveries.filter((each) => each === eventId).length
    return [
      ...(count === 1 ? [] : [`${eventId} is ${count} deliveries`]),
      ...(ids.get(eventId)?.size === 1 ? [] : [`${eventId} was told to be ${ids.get(eventId)?.size ?? 0} deliveries`]),
      ...(news.filter((each) => each === eventId).length <= 1 ? [] : [`${eventId} was new twice`])
    ]
  })
}

t.test('any interleaving of sends, copies, crashes around a commit and restarts makes one delivery of each event', async (t) => {
  let current: WholeJournal | undefined
  const app = await buildApp(t, {
    secrets: [PROCESS_SECRET],
    append: async (delivery) => {
      if (current === undefined) throw new Error('there is no journal')
      return await current.append(delivery)
    }
  })

  let played = 0
  await fc.assert(fc.asyncProperty(steps, async (play) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tierhook-identity-'))
    let threads: LocalThreads = localThreads()
    async function open (): Promise<void> {
      threads = localThreads()
      const day = 86_400_000
      current = createWholeJournal({ dataDir, logger: pino({ level: 'silent' }), clock: systemClock, dedupeWindowMs: day, retention: { maxAgeMs: day, maxBytes: 0 }, threads })
      await current.start()
    }
    async function restart (): Promise<void> {
      await current?.close()
      await open()
    }

    await open()
    const found = await contradictions({
      async send (eventId) {
        const { status, body } = await app.post('/webhooks', eventBody(eventId))
        return status < 300 ? { status, id: String(body['id']) } : undefined
      },
      async crash (when, sends) {
        // The rest of them may commit while the next ones start.
        const torn = threads
        const tear = async (method: string): Promise<void> => { if (method === 'commit') torn.endStore() }
        if (when === 'before') torn.beforeWrite = tear
        else torn.afterWrite = tear
        await sends()
        await restart()
      },
      restart,
      async deliveries () {
        await current?.close()
        const db = connect(databasePath(dataDir))
        const rows = db.prepare('SELECT event_id AS id FROM deliveries').all([]) as Array<{ id: string }>
        db.close()
        return rows.map(({ id }) => id)
      }
    }, play)
    await current?.close()
    await rm(dataDir, { recursive: true })
    deepStrictEqual(found, [])
    played++
  }), { numRuns: 60 })
  t.ok(played >= 60)
})

t.test('the built service, killed at any moment: each event is one line of the file', async (t) => {
  let played = 0
  await fc.assert(fc.asyncProperty(steps, fc.nat(30), async (play, delayMs) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tierhook-identity-'))
    let service: ServiceProcess = await startServiceProcess(dataDir)
    async function restart (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
      await service.kill(signal)
      service = await startServiceProcess(dataDir)
    }

    try {
      const found = await contradictions({
        async send (eventId) {
          try {
            const { status, body } = await postEvent(service.url, eventId)
            return status < 300 ? { status, id: String(JSON.parse(body).id) } : undefined
          } catch {
            // The service was killed before it answered.
            return undefined
          }
        },
        async crash (when, sends) {
          const underWay = sends()
          // Any moment is good, so this waits for nothing.
          await sleep(when === 'before' ? 1 : 1 + delayMs)
          await service.kill('SIGKILL')
          await underWay
          service = await startServiceProcess(dataDir)
        },
        restart,
        async deliveries (count) {
          return await eventually(() => {
            const { ids } = readLines(dataDir)
            return ids.length >= count ? ids : undefined
          }, 'all events to be in the file')
        }
      }, play)
      deepStrictEqual(found, [])
      played++
    } finally {
      await service.kill('SIGKILL')
      await rm(dataDir, { recursive: true })
    }
  }), { numRuns: 3 })
  t.ok(played >= 3)
})
