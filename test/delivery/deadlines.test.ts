import t from 'tap'
import { createDeadlines, type Timed } from '../../src/delivery/deadlines.js'

interface Waiting extends Timed {
  readonly name: string
  readonly ended: Promise<string>
}

function build (timeoutMs: number) {
  const deadlines = createDeadlines<Waiting>(timeoutMs)

  function add (name: string): Waiting {
    let end: (name: string) => void = () => {}
    const ended = new Promise<string>((resolve) => { end = resolve })
    const waiting: Waiting = {
      name,
      ended,
      place: -1,
      overAt: 0,
      timeOver () {
        deadlines.remove(waiting)
        end(name)
      }
    }
    deadlines.add(waiting)
    return waiting
  }

  return { deadlines, add, names: () => deadlines.running().map(({ name }) => name).sort() }
}

t.test('running work is told when its own time is over, and not before', async (t) => {
  const { add, names } = build(40)
  const first = add('first')
  const before = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const second = add('second')
  t.equal(await first.ended, 'first')
  t.ok(performance.now() - before >= 39)
  t.equal(await second.ended, 'second')
  t.ok(second.overAt <= performance.now())
  t.strictSame(names(), [])
})

t.test('finished work is told nothing, and other work still is', async (t) => {
  const { deadlines, add, names } = build(30)
  const [first, second, third] = [add('first'), add('second'), add('third')]
  deadlines.remove(first)
  deadlines.remove(first)
  t.strictSame(names(), ['second', 'third'])
  t.strictSame(await Promise.race([first.ended, Promise.all([second.ended, third.ended])]), ['second', 'third'])
  t.strictSame(names(), [])
})

t.test('without running work, no timer keeps the process alive', async (t) => {
  const { deadlines, add } = build(60_000)
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const each = [add('first'), add('second')]
  t.equal(timers(), before + 1)
  for (const waiting of each) deadlines.remove(waiting)
  t.equal(timers(), before)
})
