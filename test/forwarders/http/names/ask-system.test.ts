import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createAskSystem } from '../../../../src/forwarders/http/names/ask-system.js'
import type { Found } from '../../../../src/forwarders/http/names/look-up.js'

const found: Found = { addresses: [{ address: '127.0.0.1', family: 4 }], freshMs: 1000 }

t.test('the C library is asked for a name once at a time, and for at most two names at once', async (t) => {
  const asked: Array<{ readonly name: string, readonly find: () => void, readonly fail: () => void }> = []
  const ask = createAskSystem(async (name) => await new Promise((resolve, reject) => {
    asked.push({ name, find: () => { resolve(found) }, fail: () => { reject(new Error(`no ${name}`)) } })
  }))
  const names = ['a', 'a', 'b', 'c', 'b', 'd', 'c']
  const answers = Promise.allSettled(names.map(ask))
  const order = (): string => asked.map(({ name }) => name).join('')
  t.equal(order(), 'ab')
  asked[0]?.fail()
  await turn()
  t.equal(order(), 'abc')
  asked[2]?.find()
  await turn()
  t.equal(order(), 'abcd')
  asked[1]?.find()
  asked[3]?.find()
  t.strictSame((await answers).map(({ status }) => status), ['rejected', 'rejected', ...Array<string>(5).fill('fulfilled')])
  const again = ask('a')
  t.equal(order(), 'abcda', 'a later call asks again')
  asked[4]?.find()
  t.strictSame(await again, found)
})

t.test('the C library resolves this machine, and an unknown name has an error code', async (t) => {
  const ask = createAskSystem()
  t.match((await ask('127.0.0.1')).addresses, [{ address: '127.0.0.1', family: 4 }])
  await t.rejects(ask('[nonsense]'), { code: 'ENOTFOUND' })
})
