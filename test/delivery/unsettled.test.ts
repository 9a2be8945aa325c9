import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createUnsettled } from '../../src/delivery/unsettled.js'

t.test('calls count until the promise that they share has ended, well or badly', async (t) => {
  const errors: unknown[] = []
  let kept = 0
  const unsettled = createUnsettled({ onKept () { kept++ }, onError (error) { errors.push(error) } })
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}
  const first = new Promise<void>((_resolve) => { resolve = _resolve })
  const second = new Promise<void>((_resolve, _reject) => { reject = _reject })
  unsettled.add(first, 2)
  unsettled.add(second, 1)
  unsettled.add(first, 3)
  t.equal(unsettled.count(), 6)
  resolve()
  await nextTurn()
  t.equal(unsettled.count(), 1)
  t.equal(kept, 1)
  reject(new Error('closed'))
  await nextTurn()
  t.equal(unsettled.count(), 0)
  t.equal(kept, 2)
  t.notOk(unsettled.allKept(), 'none waits any more, and one is nowhere')
  t.match(errors, [{ message: 'closed' }])
})
