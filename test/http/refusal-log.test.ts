import t, { type Test } from 'tap'
import { createRefusalLog, type RefusalLogLimits } from '../../src/http/refusal-log.js'
import { captureLog } from '../support/capture-log.js'
import { takeTime } from '../support/fake-time.js'

const MINUTE = 60_000

function setUp (t: Test, limits?: RefusalLogLimits) {
  const time = takeTime(0)
  t.teardown(time.restore)
  const log = captureLog()
  const refusals = createRefusalLog({ logger: log.logger, monotonic: time.monotonic, ...(limits === undefined ? {} : { limits }) })
  /** How many of a number of refusals may be logged. */
  const logged = (code: string, address: string, count: number): number => Array.from({ length: count }, () => refusals.mayLog({ code, address })).filter(Boolean).length
  return { time, refusals, logged, counted: () => log.find('refusals counted, not logged') }
}

t.test('refusals are logged up to a rate by code and address, and the others are counted in one line a minute', async (t) => {
  const { time, logged, counted } = setUp(t)
  t.equal(logged('NOT_FOUND', '192.0.2.1', 100_000), 20)
  t.equal(logged('SIGNATURE_WRONG', '192.0.2.1', 5), 5, 'each code has its own limit')
  t.equal(logged('NOT_FOUND', '192.0.2.2', 25), 20, 'each address has its own limit')
  await time.advance(MINUTE - 1)
  t.strictSame(counted(), [])
  await time.advance(1)
  t.match(counted(), [{ level: 40, count: 99_985, codes: { NOT_FOUND: 99_985 }, addresses: 2, mostFrom: '192.0.2.1', seconds: 60 }])
  t.equal(logged('NOT_FOUND', '192.0.2.1', 1), 1, 'the next minute starts with new limits')
  await time.advance(10 * MINUTE)
  t.equal(counted().length, 1, 'a minute without refusals writes no line')
})

t.test('one address cannot use up the lines with many codes, and many addresses cannot write without limit', async (t) => {
  const { time, refusals, logged, counted } = setUp(t, { perCode: 5, perAddress: 8, all: 12 })
  t.equal(['A', 'B', 'C'].map((code) => logged(code, '192.0.2.1', 10)).reduce((sum, count) => sum + count), 8)
  t.equal(Array.from({ length: 5000 }, (_, index) => logged('A', `2001:db8:${Math.trunc(index / 256).toString(16)}:${(index % 256).toString(16)}::1`, 1)).reduce((sum, count) => sum + count), 4)
  t.equal(logged('A', '2001:db8:0:0::ffff', 1), 0, 'an IPv6 network counts as one address')
  refusals.close()
  t.match(counted(), [{ count: 22 + 4996 + 1, mostFrom: '192.0.2.1' }], 'the remaining count is logged on close')
  await time.advance(10 * MINUTE)
  t.equal(counted().length, 1)
})
