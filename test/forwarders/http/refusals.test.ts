import t from 'tap'
import { createRefusals } from '../../../src/forwarders/http/refusals.js'

t.test('refusals are counted for each delivery until it is forgotten', async (t) => {
  const refusals = createRefusals(10)
  t.strictSame([refusals.add('a'), refusals.add('a'), refusals.add('b'), refusals.add('a')], [1, 2, 1, 3])
  refusals.forget('a')
  refusals.forget('never seen')
  t.strictSame([refusals.add('a'), refusals.add('b')], [1, 2])
})

t.test('the number of remembered refusals is limited: the oldest is dropped', async (t) => {
  const refusals = createRefusals(2)
  for (const id of ['a', 'b', 'c']) refusals.add(id)
  t.strictSame([refusals.add('c'), refusals.add('b'), refusals.add('a')], [2, 2, 1])
})
