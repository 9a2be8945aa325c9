import { FormatRegistry, Type } from '@sinclair/typebox'
import t from 'tap'
import { findEvent, catalogue } from '../../src/voucherify/catalogue.js'
import { compileValidator } from '../../src/voucherify/validate.js'
import { campaign, tier, voucher } from './support/full-objects.js'

const schema = findEvent('campaign.loyalty_tier.updated')?.bodySchema ?? catalogue[0].bodySchema
const validate = compileValidator(schema)

t.test('all faults are reported at once, each at its own pointer', t => {
  t.strictSame(validate({
    campaign: { ...campaign, name: 1, type: 5, voucher: { ...voucher, discount: { type: [] }, redemption: 'none' } },
    loyalty_tier: { ...tier, points: { from: '0' }, created_at: 'x' }
  }), [
    { pointer: '/campaign/name', message: 'must be a string' },
    { pointer: '/campaign/type', message: 'must be a string' },
    { pointer: '/campaign/voucher/discount/type', message: 'must be a string' },
    { pointer: '/campaign/voucher/redemption', message: 'must be an object' },
    { pointer: '/loyalty_tier/created_at', message: 'must be an ISO 8601 date-time' },
    { pointer: '/loyalty_tier/points/from', message: 'must be an integer' }
  ])
  t.end()
})

t.test('a message never contains a value', t => {
  const secret = 'top-secret-value'
  const faults = validate({ campaign: { ...campaign, start_date: secret, created_at: secret, categories: secret, voucher: secret, active: secret } })
  t.equal(faults.length, 5)
  t.notMatch(JSON.stringify(faults), secret)
  t.end()
})

t.test('the value is not changed', t => {
  const value = Object.freeze({ campaign: Object.freeze({ ...campaign, name: 1 }) })
  const before = JSON.stringify(value)
  validate(value)
  t.equal(JSON.stringify(value), before)
  t.end()
})

t.test('there are no more faults than the limit, and at least one for an invalid value', t => {
  const categories = Array.from({ length: 100 }, () => 0)
  t.equal(validate({ campaign: { categories } }).length, 50)
  t.equal(compileValidator(schema, { limit: 3 })({ campaign: { categories } }).length, 3)
  t.equal(compileValidator(schema, { limit: 0 })({ campaign: { categories } }).length, 1)
  t.end()
})

t.test('an invalid value has a fault even if its check gives another answer the second time', t => {
  let answers = 0
  FormatRegistry.Set('fickle', () => { answers += 1; return answers > 1 })
  t.teardown(() => FormatRegistry.Delete('fickle'))
  t.strictSame(compileValidator(Type.String({ format: 'fickle' }))('a'), [{ pointer: '', message: 'does not match its schema' }])
  t.end()
})

t.test('a pointer through a very long key is cut back to an ancestor', t => {
  const key = 'k'.repeat(600)
  t.strictSame(validate({ loyalty_tier: { ...tier, rewards: { [key]: { type: 5 }, [`${key}2`]: [] } } }), [
    { pointer: '/loyalty_tier/rewards', message: 'holds a fault under a key that is too long to tell' }
  ])
  t.strictSame(compileValidator(Type.Object({}, { additionalProperties: Type.Null() }))({ [key]: 1 }), [
    { pointer: '', message: 'holds a fault under a key that is too long to tell' }
  ])
  t.end()
})

const repeat = (count: number, make: (index: number) => unknown) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, make(index)]))
const many = (count: number, make: () => unknown) => Array.from({ length: count }, make)
const good = { type: 'CUSTOM', points: 1 }

for (const [name, value] of Object.entries({
  'three hundred thousand faulty categories': { campaign: { ...campaign, categories: many(300_000, () => ({ id: 0 })) } },
  'half a million numbers for categories': { campaign: { ...campaign, categories: many(500_000, () => 0) } },
  'forty thousand faulty rewards': { campaign, loyalty_tier: { ...tier, rewards: repeat(40_000, () => ({ type: 0 })) } },
  'one faulty reward behind thirty thousand good ones': { loyalty_tier: { ...tier, rewards: { ...repeat(30_000, () => good), z: 0 } } },
  'a hundred thousand unknown keys': { campaign: { ...repeat(100_000, () => 0), name: 0 } },
  'a hundred thousand faulty units': {
    campaign: { voucher: { ...voucher, discount: { type: 'UNIT', units: many(100_000, () => ({ unit_type: 0 })) } } }
  },
  'one faulty unit behind fifteen thousand good ones': {
    campaign: {
      voucher: {
        ...voucher,
        discount: { type: 'UNIT', units: [...many(15_000, () => ({ effect: 'ADD_NEW_ITEMS', unit_type: 'u', sku: { id: 'i', name: 'n' } })), 0] }
      }
    }
  },
  'a hundred thousand levels of metadata': { campaign: { name: 0, metadata: many(100_000, () => 0).reduce<object>(inner => ({ inner }), {}) } },
  'a megabyte for a date-time': { loyalty_tier: { ...tier, created_at: ' '.repeat(1_000_000) } },
  'a megabyte for a key': { loyalty_tier: { ...tier, rewards: { ['~/'.repeat(500_000)]: 0 } } }
})) {
  t.test(`${name} are reported in bounded time, in few words`, t => {
    const start = performance.now()
    const faults = validate(value)
    const tookMs = performance.now() - start
    t.ok(faults.length > 0 && faults.length <= 50)
    // Takes some hundred milliseconds at most on an idle machine. Quadratic time would take minutes.
    t.ok(tookMs < 5000, `${tookMs} ms`)
    t.ok(JSON.stringify(faults).length < 50_000)
    t.end()
  })
}
