import t from 'tap'
import type { Delivery } from '../../../src/delivery/delivery.js'
import { packDeliveries, unpackDeliveries, type SoundRecord } from '../../../src/journal/sqlite/packed-deliveries.js'
import { recordText, toColumns, withEventPlace } from '../../../src/journal/sqlite/record.js'
import { sampleDelivery } from '../../support/sample-delivery.js'

function pack (bodies: readonly Uint8Array[]) {
  const deliveries = bodies.map((rawBody, index) => sampleDelivery({ index, rawBody, sequence: 3 * index + 1, duplicates: index, dedupeKey: null, eventPlace: index % 2 === 0 ? undefined : { start: index, end: 2 * index } }))
  const records = deliveries.map((delivery): SoundRecord => ({
    sequence: delivery.sequence, duplicates: delivery.duplicates, checkedText: checkedText(delivery), rawBody: delivery.rawBody
  }))
  return { deliveries, packed: packDeliveries(records) }
}

function checkedText (delivery: Delivery): string {
  const text = recordText(toColumns(delivery))
  return delivery.eventPlace === undefined ? text : withEventPlace(text, delivery.eventPlace)
}

t.test('what is packed comes out as it was, whatever the sizes of the bodies', async (t) => {
  const { deliveries, packed } = pack([0, 1, 2000, 0, 65_536, 65_537, 3, 200_000, 0].map((bytes, index) => Buffer.alloc(bytes, index)))
  const unpacked = unpackDeliveries(structuredClone(packed))
  t.strictSame(unpacked.map(({ rawBody, ...rest }) => ({ ...rest, rawBody: Buffer.from(rawBody) })), deliveries.map(({ rawBody, ...rest }) => ({ ...rest, rawBody: Buffer.from(rawBody) })))
})

t.test('a body that is kept keeps few others in memory', async (t) => {
  const { packed } = pack(Array.from({ length: 1000 }, () => Buffer.alloc(2000)))
  t.equal(packed.buffers.reduce((bytes, { byteLength }) => bytes + byteLength, 0), 2_000_000)
  t.ok(packed.buffers.every(({ byteLength }) => byteLength <= 65_536))
  t.strictSame(unpackDeliveries(packDeliveries([])), [])
})
