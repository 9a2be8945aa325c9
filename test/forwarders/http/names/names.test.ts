import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Found } from '../../../../src/forwarders/http/names/look-up.js'
import { createNames } from '../../../../src/forwarders/http/names/names.js'

interface Pending {
  readonly name: string
  readonly signal: AbortSignal
  readonly find: (...addresses: string[]) => void
  readonly fail: (error: Error) => void
}

/** Names whose look-ups the test answers, with a simulated clock. */
function namesOf (t: Test, limitMs = 60_000) {
  const pending: Pending[] = []
  const clock = { now: 0 }
  const names = createNames({
    limitMs,
    now: () => clock.now,
    lookUp: async (name, signal) => await new Promise<Found>((resolve, reject) => {
      pending.push({
        name,
        signal,
        find (...addresses) { resolve({ addresses: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })), freshMs: 1000 }) },
        fail: reject
      })
    })
  })
  t.teardown(names.close)
  const find = async (name: string, options: { family?: 4 | 6 } = {}): Promise<string[]> => await new Promise((resolve, reject) => {
    names.lookup(name, { all: true, ...options }, (error, addresses) => {
      if (error === null && Array.isArray(addresses)) resolve(addresses.map(({ address }) => address))
      else reject(error ?? new Error('there is one alone'))
    })
  })
  const latest = (): Pending => {
    const last = pending.at(-1)
    if (last === undefined) throw new Error('nothing was looked up')
    return last
  }
  return { names, pending, clock, find, latest }
}

const unknown = (): Error => Object.assign(new Error('getaddrinfo ENOTFOUND crm'), { code: 'ENOTFOUND' })

t.test('sixteen concurrent requests for a name make one look-up, and a name that hangs does not delay another', async (t) => {
  const { pending, find } = namesOf(t)
  const hanging = Array.from({ length: 16 }, async () => await find('hangs').catch(() => 'failed'))
  const well = Array.from({ length: 16 }, async () => await find('well'))
  t.strictSame(pending.map(({ name }) => name), ['hangs', 'well'])
  pending[1]?.find('10.0.0.1')
  t.strictSame(await Promise.all(well), Array(16).fill(['10.0.0.1']))
  pending[0]?.fail(new Error('no answer'))
  t.strictSame(await Promise.all(hanging), Array(16).fill('failed'))
})

t.test('an answer is used while it is fresh, and then the name is looked up again', async (t) => {
  const { pending, clock, find, latest } = namesOf(t)
  const first = find('crm')
  latest().find('10.0.0.1')
  await first
  clock.now = 999
  t.strictSame(await find('crm'), ['10.0.0.1'])
  t.equal(pending.length, 1)
  clock.now = 1000
  const second = find('crm')
  latest().find('10.0.0.2')
  t.strictSame(await second, ['10.0.0.2'])
  t.equal(pending.length, 2)
})

t.test('while a look-up hangs, the previous answer is used', async (t) => {
  const { pending, clock, find, latest } = namesOf(t)
  const first = find('crm')
  latest().find('10.0.0.1')
  await first
  clock.now = 2000
  t.strictSame(await find('crm'), ['10.0.0.1'], 'the previous answer is used after a short wait')
  clock.now = 3000
  t.strictSame(await find('crm'), ['10.0.0.1'], 'the next call uses it without a wait')
  t.equal(pending.length, 2, 'no further look-up starts while one hangs')
  latest().find('10.0.0.2')
  await sleep(0)
  t.strictSame(await find('crm'), ['10.0.0.2'])
})

t.test('after a failed look-up the previous answer is used, for an hour at most', async (t) => {
  const { pending, clock, find, latest } = namesOf(t)
  const first = find('crm')
  latest().find('10.0.0.1')
  await first
  clock.now = 2000
  const second = find('crm')
  latest().fail(new Error('SERVFAIL'))
  t.strictSame(await second, ['10.0.0.1'])
  clock.now = 6000
  t.strictSame(await find('crm'), ['10.0.0.1'], 'a failed look-up is not repeated at once')
  t.equal(pending.length, 2)
  clock.now = 3_700_000
  const late = find('crm')
  latest().fail(new Error('SERVFAIL'))
  await t.rejects(late, { message: 'SERVFAIL' })
})

t.test('the addresses of a name that certainly does not exist any more are not used', async (t) => {
  const { pending, clock, find, latest } = namesOf(t)
  const first = find('crm')
  latest().find('10.0.0.1')
  await first
  clock.now = 2000
  const second = find('crm')
  latest().fail(unknown())
  await t.rejects(second, { code: 'ENOTFOUND' })
  const third = find('crm')
  t.equal(pending.length, 3)
  latest().fail(new Error('SERVFAIL'))
  await t.rejects(third, { message: 'SERVFAIL' })
})

t.test('a look-up that takes too long is abandoned, reported by its name, and may be started again', async (t) => {
  const { pending, find, latest } = namesOf(t, 20)
  await t.rejects(find('crm'), { message: 'crm could not be looked up within 20 ms' })
  t.ok(latest().signal.aborted)
  const again = find('crm')
  t.equal(pending.length, 2)
  latest().find('10.0.0.1')
  t.strictSame(await again, ['10.0.0.1'])
})

t.test('closing ends all waiting at once', async (t) => {
  const { names, find, latest } = namesOf(t)
  const waiting = [find('a'), find('b')]
  const ends = Promise.allSettled(waiting)
  names.close()
  names.close()
  t.match(await ends, [{ reason: { message: 'The forwarder is closed' } }, { reason: { message: 'The forwarder is closed' } }])
  t.ok(latest().signal.aborted)
  await t.rejects(find('c'), { message: 'The forwarder is closed' })
})

t.test('the address family that worked is tried first, also if only one family is asked for', async (t) => {
  const { names, find, latest } = namesOf(t)
  const first = find('crm')
  latest().find('10.0.0.1', 'fd00::1', '10.0.0.2')
  t.strictSame(await first, ['10.0.0.1', 'fd00::1', '10.0.0.2'])
  names.connected('crm', 6)
  t.strictSame(await find('crm'), ['fd00::1', '10.0.0.1', '10.0.0.2'])
  t.strictSame(await find('crm', { family: 4 }), ['10.0.0.1', '10.0.0.2'])
  const alone = await new Promise((resolve) => { names.lookup('crm', {}, (...result) => { resolve(result) }) })
  t.strictSame(alone, [null, 'fd00::1', 6])
  const other = find('old', { family: 6 })
  latest().find('10.0.0.1')
  await t.rejects(other, { code: 'ENODATA', message: 'old has no address of IPv6' })
})
