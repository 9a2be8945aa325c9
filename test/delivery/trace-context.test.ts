import t from 'tap'
import { traceHeaders, traceIdOf } from '../../src/delivery/trace-context.js'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'

t.test('a valid traceparent is passed on, with its tracestate', async (t) => {
  for (const traceparent of [`00-${trace}-${parent}-01`, `00-${trace}-${parent}-00`, `01-${trace}-${parent}-01-more`, `fe-${trace}-${parent}-01`]) {
    t.strictSame(traceHeaders({ traceparent }), { traceparent })
    t.strictSame(traceHeaders({ traceparent, tracestate: 'a=1' }), { traceparent, tracestate: 'a=1' })
  }
})

t.test('an invalid traceparent is dropped, and so is a tracestate without a traceparent', async (t) => {
  const wrong = [
    '', 'x', `ff-${trace}-${parent}-01`, `00-${trace}-${parent}-01-more`, `00-${'0'.repeat(32)}-${parent}-01`, `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`, `00-${trace}-${parent}-1`, `00-${trace}-${parent}-01, 00-${trace}-${parent}-01`, `01-${trace}-${parent}-01more`
  ]
  for (const traceparent of wrong) t.strictSame(traceHeaders({ traceparent, tracestate: 'a=1' }), {}, traceparent)
  t.strictSame(traceHeaders({ tracestate: 'a=1' }), {})
})

t.test('a valid traceparent gives the id of its trace', async (t) => {
  t.equal(traceIdOf({ traceparent: `00-${trace}-${parent}-01` }), trace)
  t.equal(traceIdOf({ traceparent: `00-${'0'.repeat(32)}-${parent}-01` }), undefined)
  t.equal(traceIdOf({}), undefined)
})
