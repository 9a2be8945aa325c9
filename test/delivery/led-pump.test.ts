import t from 'tap'
import { systemClock } from '../../src/delivery/clock.js'
import type { Forwarder } from '../../src/delivery/forwarder.js'
import { createLedPump } from '../../src/delivery/led-pump.js'
import { createPump } from '../../src/delivery/pump.js'
import { captureLog } from '../support/capture-log.js'
import { eventuallyTrue } from '../support/eventually.js'
import { createPostgresJournal } from '../support/postgres-journal.js'
import { noPostgres, startPostgres } from '../support/postgres-server.js'
import { sampleNewDelivery } from '../support/sample-delivery.js'

const DAY_MS = 86_400_000

t.test('a forwarder that cannot start on one replica runs on another one', { skip: noPostgres }, async (t) => {
  const { url } = await startPostgres(t)
  const forwarded: string[] = []

  async function replica (name: string, start: NonNullable<Forwarder['start']>) {
    const log = captureLog()
    const { logger } = log
    const journal = createPostgresJournal({ url, schema: 'led', name, logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: DAY_MS, maxBytes: 0 }, forwarders: ['crm'] })
    await journal.start()
    let starts = 0
    const pump = createLedPump({
      name: 'crm',
      logger,
      startLimitMs: 300,
      asideMs: 4000,
      onState: () => {},
      create: async (onLost) => createPump({
        forwarder: {
          name: 'crm',
          order: 'none',
          concurrency: 1,
          batchSize: 1,
          timeoutMs: 1000,
          async start (...given) {
            starts++
            await start(...given)
          },
          async forward (batch) {
            forwarded.push(name)
            return { outcomes: batch.map(() => ({ status: 'forwarded' })) }
          }
        },
        journal,
        start: 'beginning',
        accepts: () => true,
        retry: { minMs: 20, maxMs: 50, giveUpMs: DAY_MS },
        breakerThreshold: 5,
        clock: systemClock,
        random: () => 1,
        logger,
        onLost
      })
    })
    t.teardown(async () => {
      await pump.close(AbortSignal.abort())
      await journal.close()
    })
    return { log, journal, pump, starts: () => starts }
  }

  const broken = await replica('broken', async () => { throw new Error('The database of the CRM cannot be reached') })
  await broken.journal.append(sampleNewDelivery())
  await broken.pump.start()
  await eventuallyTrue(() => broken.starts() > 1, 'a second start of the failing forwarder')
  const sound = await replica('sound', async () => {})
  await sound.pump.start()
  await eventuallyTrue(() => forwarded.length === 1, 'the delivery at the forwarder')
  t.strictSame(forwarded, ['sound'])
  t.match(broken.log.find('forwarder no longer led here'), [{ how: 'not-started', forwarder: 'crm' }])
  t.equal(sound.pump.hasStarted(), true)
  t.equal(broken.pump.hasStarted(), false)
})
