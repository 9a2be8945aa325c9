import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createInFlightCommits } from '../../src/delivery/in-flight-commits.js'

t.test('calls count as in flight until their shared promise has settled, resolved or rejected', async (t) => {
  const errors: unknown[] = []
  let kept = 0
  const inFlightCommits = createInFlightCommits({ onKept () { kept++ }, onError (error) { errors.push(error) } })
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}
  const first = new Promise<void>((_resolve) => { resolve = _resolve })
  const second = new Promise<void>((_resolve, _reject) => { reject = _reject })
  inFlightCommits.add(first, 2)
  inFlightCommits.add(second, 1)
  inFlightCommits.add(first, 3)
  t.equal(inFlightCommits.count(), 6)
  resolve()
  await nextTurn()
  t.equal(inFlightCommits.count(), 1)
  t.equal(kept, 1)
  reject(new Error('closed'))
  await nextTurn()
  t.equal(inFlightCommits.count(), 0)
  t.equal(kept, 2)
  t.notOk(inFlightCommits.allKept(), 'no commit is pending, but one of them failed')
  t.match(errors, [{ message: 'closed' }])
})
