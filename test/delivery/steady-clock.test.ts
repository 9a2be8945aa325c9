import t from 'tap'
import { createSteadyClock } from '../../src/delivery/steady-clock.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

function clockAt (start: number) {
  let wall = start
  let elapsed = 0
  return {
    clock: { now: () => wall, monotonic: () => elapsed },
    pass (ms: number) { wall += ms; elapsed += ms },
    set (ms: number) { wall += ms }
  }
}

t.test('a clock that is a year ahead for a minute is not believed, and after it is right again only after a day', async (t) => {
  const { clock, pass, set } = clockAt(1000 * DAY_MS)
  const steps: number[] = []
  const isSteady = createSteadyClock({ clock, lastReceivedAt: clock.now() - HOUR_MS, onStep: (byMs) => { steps.push(byMs) } })
  t.ok(isSteady())
  set(365 * DAY_MS)
  pass(60_000)
  t.notOk(isSteady())
  set(-365 * DAY_MS)
  pass(60_000)
  t.notOk(isSteady())
  t.strictSame(steps, [365 * DAY_MS, -365 * DAY_MS], 'each step is reported once')
  pass(DAY_MS)
  t.ok(isSteady(), 'the clock counts as steady after a day without a step')
})

t.test('a clock that drifts, or is adjusted by minutes, is believed', async (t) => {
  const { clock, pass, set } = clockAt(1000 * DAY_MS)
  const isSteady = createSteadyClock({ clock, lastReceivedAt: undefined, onStep: () => { t.fail('no step') } })
  for (let hour = 0; hour < 48; hour++) {
    pass(HOUR_MS)
    set(120_000)
    t.ok(isSteady())
  }
})

t.test('a start long after, or before, the newest delivery may have a wrong clock', async (t) => {
  for (const lastReceivedAt of [1000 * DAY_MS - 366 * DAY_MS, 1000 * DAY_MS + 2 * DAY_MS]) {
    const { clock, pass } = clockAt(1000 * DAY_MS)
    const isSteady = createSteadyClock({ clock, lastReceivedAt, onStep: () => {} })
    t.notOk(isSteady())
    pass(DAY_MS)
    t.ok(isSteady())
  }
})
