import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createSwitchOnLimit } from '../../src/sender-watch/switch-on-limit.js'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 31)

function steered () {
  const time = { wall: START, elapsed: 0 }
  return {
    clock: { now: () => time.wall, monotonic: () => time.elapsed },
    pass (ms: number) {
      time.wall += ms
      time.elapsed += ms
    },
    /** Sets only the wall clock. */
    step (ms: number) { time.wall += ms }
  }
}

t.test('each webhook is switched on once an hour, also across restarts', async (t) => {
  const path = join(t.testdir(), 'note.json')
  const { clock, pass } = steered()
  const first = createSwitchOnLimit({ path, clock })
  t.strictSame(await first.take('wh_1'), { ok: true })
  t.match(await first.take('wh_1'), { ok: false, reason: /within the last hour.*2026-01-31T01:00:00.000Z/ })
  pass(HOUR / 2)
  const second = createSwitchOnLimit({ path, clock })
  t.match(await second.take('wh_1'), { ok: false })
  t.strictSame(await second.take('wh_2'), { ok: true }, 'another webhook has its own limit')
  pass(HOUR / 2)
  t.strictSame(await createSwitchOnLimit({ path, clock }).take('wh_1'), { ok: true })
  t.match(await createSwitchOnLimit({ path, clock }).take('wh_2'), { ok: false }, 'a new instance keeps the notes of other webhooks')
})

t.test('a clock that is set neither allows an early switch-on nor blocks it for ever', async (t) => {
  const path = join(t.testdir(), 'note.json')
  const { clock, pass, step } = steered()
  const limit = createSwitchOnLimit({ path, clock })
  t.strictSame(await limit.take('wh_1'), { ok: true })
  step(10 * HOUR)
  t.match(await limit.take('wh_1'), { ok: false })
  step(-1000 * HOUR)
  const restarted = createSwitchOnLimit({ path, clock })
  t.match(await restarted.take('wh_1'), { ok: false })
  pass(HOUR)
  t.strictSame(await restarted.take('wh_1'), { ok: true })
})

t.test('an unreadable note makes the watchdog wait an hour', async (t) => {
  const { clock, pass } = steered()
  for (const text of ['', '{', '{}', '{"version":1,"webhooks":[{"id":"wh_1","at":-1}]}']) {
    const path = join(t.testdir({ 'note.json': text }), 'note.json')
    const limit = createSwitchOnLimit({ path, clock })
    t.match(await limit.take('wh_1'), { ok: false, reason: /cannot be read/ })
    pass(HOUR)
    t.strictSame(await limit.take('wh_1'), { ok: true })
    t.match(JSON.parse(readFileSync(path, 'utf8')), { version: 1, webhooks: [{ id: 'wh_1' }] })
  }
})

t.test('a switch-on that cannot be noted is not done, and is done when it can be', async (t) => {
  const folder = join(t.testdir(), 'data')
  const { clock } = steered()
  const limit = createSwitchOnLimit({ path: join(folder, 'note.json'), clock })
  t.match(await limit.take('wh_1'), { ok: false, reason: /cannot be noted on disk.*ENOENT/ })
  mkdirSync(folder)
  writeFileSync(join(folder, 'note.json.draft'), 'half of an earlier o')
  t.strictSame(await limit.take('wh_1'), { ok: true })
  t.strictSame(readdirSync(folder), ['note.json'])
})
