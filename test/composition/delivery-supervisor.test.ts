import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { DeliveryHooks, HostedDelivery, OpenedStoreThread } from '../../src/composition/delivery-host.js'
import { superviseDelivery, type DeliverySupervisorOptions } from '../../src/composition/delivery-supervisor.js'
import type { StoredBatch } from '../../src/journal/postgres/pack-deliveries.js'
import { captureLog } from '../support/capture-log.js'
import { eventuallyTrue } from '../support/eventually.js'

const MIB = 1024 * 1024

function batchOf (after: number, bytes: number): StoredBatch {
  return { after, count: 1, rounds: 1, records: '[]', bodies: new Uint8Array(bytes), without: [] }
}

t.test('stored events do not pile up in memory on their way to a deliver thread that computes', async (t) => {
  const taken: Array<() => void> = []
  const sent: number[] = []
  // A thread that computes does not answer until it is done.
  const busy: Pick<HostedDelivery, 'stored'> = { stored: async ({ after }) => await new Promise((resolve) => { sent.push(after); taken.push(resolve) }) }
  const { stored } = superviseDelivery({ start: () => busy as HostedDelivery, logger: captureLog().logger, config: { configured: { specs: [] } } } as unknown as DeliverySupervisorOptions)
  for (let after = 0; after < 100; after++) stored(batchOf(after, MIB))
  t.equal(sent.length, 15, 'fewer than 16 MiB are handed over at a time')
  for (const take of taken.splice(0)) take()
  await new Promise(setImmediate)
  stored(batchOf(100, 20 * MIB))
  stored(batchOf(101, 1))
  t.equal(sent.at(-1), 100, 'a batch above the limit is handed over alone')
  for (const take of taken.splice(0)) take()
  await new Promise(setImmediate)
  stored(batchOf(102, 1))
  t.equal(sent.at(-1), 102)
})

/** A deliver thread without forwarders. The caller may replace some of its methods. */
function supervised (t: Test, given: Partial<HostedDelivery> = {}) {
  const log = captureLog()
  const threads: DeliveryHooks[] = []
  const begun: number[] = []
  const start = (hooks: DeliveryHooks): HostedDelivery => {
    const number = threads.push(hooks)
    const idle: Partial<HostedDelivery> = {
      openForwarders: async () => ({ ok: true, forwarders: [] }),
      claim: async () => {},
      begin: async () => { begun.push(number) },
      respond: async () => {},
      close: async () => true,
      ...given
    }
    return idle as HostedDelivery
  }
  const supervisor = superviseDelivery({ start, logger: log.logger, config: { configured: { specs: [] } } } as unknown as DeliverySupervisorOptions)
  t.teardown(async () => { await supervisor.close(0) })
  return { supervisor, log, threads, begun }
}

t.test('a deliver thread that fails before it has begun is replaced, and the new one begins', async (t) => {
  const { supervisor, threads, begun } = supervised(t)
  await supervisor.openForwarders()
  await supervisor.claim()
  // For example, a client of a custom forwarder finds no server, and its error has no listener.
  threads[0]?.onFailure(new Error('connect ECONNREFUSED'))
  await supervisor.begin()
  await eventuallyTrue(() => begun.includes(2), 'a new deliver thread')
})

t.test('a store that the deliver thread cannot open now is handed to it again', async (t) => {
  let tries = 0
  const { supervisor } = supervised(t, {
    async storeOpened () {
      if (++tries < 3) throw new Error('unable to open database file')
    }
  })
  await supervisor.openForwarders()
  await supervisor.claim()
  supervisor.storeOpened({ path: 'tierhook.db', visible: 0 } as OpenedStoreThread)
  await eventuallyTrue(() => tries === 3, 'the third attempt')
})

t.test('the deliver thread is ended if it does not respond, but not because the whole process was stopped for a while', async (t) => {
  let now = performance.now()
  t.intercept(performance, 'now', { value: () => now })
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => { mock.timers.reset() })
  const aborted: Error[] = []
  let hangs = false
  const { supervisor } = supervised(t, { respond: async () => { if (hangs) await new Promise(() => {}) }, abort: (error) => { aborted.push(error) } })
  const look = async (afterMs: number): Promise<void> => {
    now += afterMs
    mock.timers.tick(10_000)
    await new Promise(setImmediate)
  }
  await supervisor.openForwarders()
  await look(10_000)
  await look(600_000)
  t.equal(aborted.length, 0)
  hangs = true
  for (let count = 0; count < 13; count++) await look(10_000)
  t.match(aborted, [{ message: /not responded for 130 s/ }])
})

t.test('a deliver thread that computes without a pause is ended after two minutes, or after ten seconds if it delays the repair of the database', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const aborted: Error[] = []
  let end = (): void => {}
  const { supervisor } = supervised(t, { closeDatabase: async () => { await new Promise(() => {}) }, abort: (error) => { aborted.push(error) }, exited: new Promise((resolve) => { end = resolve }) })
  let gone = false
  supervisor.closeDatabase().then(() => { gone = true }, t.fail)
  const turn = async (): Promise<void> => { await new Promise(setImmediate) }
  mock.timers.tick(9999)
  await turn()
  t.equal(aborted.length, 0)
  mock.timers.tick(1)
  await turn()
  t.match(aborted, [{ message: /has not closed the database within 10 s/ }])
  t.notOk(gone, 'the lock is kept, because the thread may still have the database open')
  end()
  await turn()
  t.ok(gone)
})
