import t from 'tap'
import { networkReason } from '../../../src/forwarders/http/judge-answer.js'

t.test('the reason is in words, whatever value was thrown', async (t) => {
  t.equal(networkReason(new Error('other side closed')), 'other side closed')
  t.equal(networkReason(new Error('failed', { cause: new Error('why', { cause: new Error('really') }) })), 'failed: why: really')
  t.equal(networkReason(new AggregateError([new Error('a'), new Error('b'), new Error('a')])), 'a, b')
  t.equal(networkReason(new AggregateError([])), 'AggregateError')
  t.equal(networkReason(new TypeError('')), 'TypeError')
  t.equal(networkReason('a text'), 'a text')
  t.equal(networkReason(new Error('x'.repeat(1000))).length, 300)
})
