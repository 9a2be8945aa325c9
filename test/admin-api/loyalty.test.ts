import t from 'tap'
import { createLoyaltyReader } from '../../src/admin-api/loyalty.js'
import type { DeliveryDetails } from '../../src/delivery/listing.js'
import { dead, quarantinedDelivery, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { buildAdmin } from '../support/build-admin.js'

const rawBody = Buffer.from(JSON.stringify({ customer: { id: 'cust_1', name: 'Ada' }, campaign: { name: 'Tea' }, loyalty_tier_from: { name: 'Leaf' }, loyalty_tier_to: { name: 'Blütentee' } }))
const move = { from: { name: 'Leaf' }, to: { name: 'Blütentee' }, campaignName: 'Tea' }

t.test('lists and details show who moved from which tier to which, and names only on request', async (t) => {
  const store = makeStore(t)
  const [one, quarantined] = [newDelivery({ rawBody }), quarantinedDelivery({ rawBody })]
  store.append(one, quarantined, newDelivery({ rawBody: Buffer.from('{}') }))
  await settleAll(store.feed('http'), dead)
  const shy = await buildAdmin(t, { dataDir: store.dataDir })
  t.match((await shy.get('/api/deliveries?loyalty=true')).body['deliveries'], [{ loyalty: null }, { loyalty: move }, { id: one.id, loyalty: { ...move, customerName: null } }])
  t.match((await shy.get('/api/deliveries?loyalty=true')).body['deliveries'], [{}, {}, { loyalty: move }], 'the second request gets the same answer')
  t.notOk(JSON.stringify((await shy.get('/api/deliveries')).body).includes('"loyalty":'), 'no body is read unless the request asks for loyalty data')
  t.match((await shy.get('/api/quarantine?loyalty=true')).body['deliveries'], [{ loyalty: move }])
  t.match((await shy.get('/api/dead-letters?loyalty=true')).body['deadLetters'], [{}, { loyalty: { ...move, customerName: null } }])
  t.match((await shy.get(`/api/deliveries/${one.id}?body=false`)).body, { body: null, loyalty: { ...move, customerName: null } })

  const open = await buildAdmin(t, { dataDir: store.dataDir, showNames: true })
  t.match((await open.get('/api/deliveries?loyalty=true')).body['deliveries'], [{}, {}, { loyalty: { ...move, customerName: 'Ada' } }])
})

t.test('an erased delivery is removed from the memory of tier moves, whose size is limited', async (t) => {
  let reads = 0
  const read = async (): Promise<DeliveryDetails> => {
    reads++
    return { rawBody } as unknown as DeliveryDetails
  }
  const reader = createLoyaltyReader({ operator: { read }, showNames: true })
  const delivery = { sequence: 1, eventType: 'customer.loyalty.tier.upgraded' }
  t.match((await reader.read([delivery])).get(1), { customerName: 'Ada' })
  await reader.read([delivery])
  t.equal(reads, 1)
  t.equal((await reader.read([{ ...delivery, state: 'erased' }])).get(1), null)
  t.equal((await reader.read([delivery])).get(1), null)
  t.equal(reads, 1)
  await reader.read(Array.from({ length: 2000 }, (_, index) => ({ ...delivery, sequence: index + 2 })))
  await reader.read([delivery])
  t.equal(reads, 2002)
})
