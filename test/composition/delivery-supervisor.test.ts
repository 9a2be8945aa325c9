import t from 'tap'
import type { HostedDelivery } from '../../src/composition/delivery-host.js'
import { superviseDelivery, type DeliverySupervisorOptions } from '../../src/composition/delivery-supervisor.js'
import type { StoredBatch } from '../../src/journal/postgres/pack-deliveries.js'
import { captureLog } from '../support/capture-log.js'

const MIB = 1024 * 1024

function batchOf (after: number, bytes: number): StoredBatch {
  return { after, count: 1, rounds: 1, records: '[]', bodies: new Uint8Array(bytes), without: [] }
}

t.test('what is stored while somebody\'s code computes is not piled up on its way to the forwarders', async (t) => {
  const taken: Array<() => void> = []
  const sent: number[] = []
  // A thread that computes answers nothing until it is done.
  const busy: Pick<HostedDelivery, 'stored'> = { stored: async ({ after }) => await new Promise((resolve) => { sent.push(after); taken.push(resolve) }) }
  const { stored } = superviseDelivery({ start: () => busy as HostedDelivery, logger: captureLog().logger } as unknown as DeliverySupervisorOptions)
  for (let after = 0; after < 100; after++) stored(batchOf(after, MIB))
  t.equal(sent.length, 15, 'less than 16 MiB are on their way')
  for (const take of taken.splice(0)) take()
  await new Promise(setImmediate)
  stored(batchOf(100, 20 * MIB))
  stored(batchOf(101, 1))
  t.equal(sent.at(-1), 100, 'one at least, however big')
  for (const take of taken.splice(0)) take()
  await new Promise(setImmediate)
  stored(batchOf(102, 1))
  t.equal(sent.at(-1), 102)
})
