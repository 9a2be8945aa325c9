import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import { Problem } from '../../src/errors/problem.js'
import { createWrongTokens, type WrongTokenLimits } from '../../src/admin-api/wrong-tokens.js'
import { takeTime } from '../support/fake-time.js'

const problem = new Problem('TOKEN_WRONG', { detail: 'wrong' })

function setUp (t: Test, limits?: Partial<WrongTokenLimits>) {
  const time = takeTime(0)
  t.teardown(time.restore)
  const wrongTokens = createWrongTokens({ monotonic: time.monotonic, limits })
  const answers: Array<{ readonly address: string, readonly status: number, readonly at: number }> = []
  function guess (address: string): EventEmitter {
    const response = new EventEmitter()
    wrongTokens.refuse({ problem, address, response }, ({ status }) => { answers.push({ address, status, at: time.monotonic() }) })
    return response
  }
  return { time, guess, answers }
}

t.test('each wrong token from an address is answered later than the one before, and after some, 429 comes at once', async (t) => {
  const { time, guess, answers } = setUp(t)
  const address = '192.0.2.1'
  for (let count = 0; count < 8; count++) {
    guess(address)
    // The few tries that are forgiven after a moment make room for no connection.
    await time.advance(1)
  }
  for (let count = 8; count < 2500; count++) await time.advance(1)
  t.strictSame(answers.map(({ status, at }) => [status, at]), [[429, 5], [429, 6], [429, 7], [401, 250], [401, 501], [401, 1002], [401, 2003], [401, 2004]])
  await time.advance(60_000)
  guess(address)
  await time.advance(250)
  t.match(answers.at(-1), { status: 401, at: 62_750 }, 'wrong guesses are forgotten after a while')
})

t.test('each address has its own count, and an IPv6 network counts as one address', async (t) => {
  const { time, guess, answers } = setUp(t, { delaysMs: [10], held: 1000 })
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8:0:1::1']) guess(address)
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::ffff:1']) guess(address)
  await time.advance(10)
  t.strictSame(answers.filter(({ status }) => status === 429).map(({ address }) => address), ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::ffff:1'])
  t.equal(answers.length, 7)
})

t.test('five thousand addresses keep only a limited number of connections waiting, and only some addresses are remembered', async (t) => {
  const { time, guess, answers } = setUp(t)
  for (let index = 0; index < 5000; index++) guess(`10.0.${index >> 8}.${index & 255}`)
  t.equal(answers.length, 5000 - 50)
  t.ok(answers.every(({ status }) => status === 429))
  await time.advance(250)
  t.equal(answers.length, 5000)
  // The first address is forgotten, the last one is not.
  for (const address of ['10.0.0.0', '10.0.19.135']) guess(address)
  await time.advance(250)
  t.match(answers.slice(5000), [{ address: '10.0.0.0', status: 401 }])
  await time.advance(250)
  t.match(answers.slice(5001), [{ address: '10.0.19.135', status: 401 }])
})

t.test('a client that hangs up counts as refused at once, and makes room for another', async (t) => {
  const { time, guess, answers } = setUp(t, { held: 1 })
  const first = guess('192.0.2.1')
  first.emit('close')
  t.match(answers, [{ address: '192.0.2.1', status: 401, at: 0 }], 'a client that hangs up is still recorded as refused')
  guess('192.0.2.2')
  await time.advance(250)
  first.emit('close')
  t.match(answers.slice(1), [{ address: '192.0.2.2', status: 401, at: 250 }])
  t.equal(answers.length, 2)
})
