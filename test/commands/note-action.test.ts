import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { StoreError } from '../../src/delivery/operator.js'
import { openOperator } from '../../src/composition/open-store.js'
import { actionListPath } from '../../src/admin-api/action-list-file.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { createHarness, watchOperator, type HarnessOptions } from './harness.js'

const person = { id: 'cust_Erased0001', sourceId: 'crm-77', email: 'jan.kowalski@example.com' }

/** The lines of the list without their times. */
function listed (dataDir: string): unknown[] {
  if (!existsSync(actionListPath(dataDir))) return []
  return readFileSync(actionListPath(dataDir), 'utf8').split('\n').slice(0, -1).map((line) => {
    const { at, ...rest } = JSON.parse(line) as { readonly at: string }
    if (Math.abs(Date.now() - Date.parse(at)) > 600_000) throw new Error(`${at} is not now`)
    return rest
  })
}

async function run (dataDir: string, args: readonly string[], options: HarnessOptions = {}) {
  const harness = createHarness(options)
  return { code: await harness.run(...args, '--data-dir', dataDir), stdout: harness.stdout.text, stderr: harness.stderr.text }
}

t.test('each command that changes or copies the store leaves a line with who ran it and what it did', async (t) => {
  const folder = t.testdir({ data: {}, restored: {} })
  const dataDir = join(folder, 'data')
  const store = makeStore(t, dataDir)
  const [one, two, three] = [newDelivery(), newDelivery(), newDelivery({ customerId: person.id })]
  const [quarantined, other] = [quarantinedDelivery(), quarantinedDelivery()]
  store.append(one, two, three, quarantined, other)
  const http = store.feed('http')
  store.feed('gone')
  await settleAll(http, ({ delivery }) => delivery.id === one.id ? dead() : forwarded())
  const backup = join(folder, 'backup.db')
  const who = { via: 'command', user: 'anna' }
  const steps: ReadonlyArray<readonly [args: readonly string[], told: object, code?: number]> = [
    [['replay', one.id.slice(0, -1), '--forwarder', 'http'], { action: 'replay', deliveryIds: [one.id], forwarders: ['http'], force: false, count: 1 }],
    [['replay', '--customer', person.id, '--since', '2026-02-01T00:00:00Z', '--type', 'customer.*', '--forwarder', 'http'], {
      action: 'replay',
      filter: { eventType: 'customer.*', customerId: '(left out)', since: '2026-02-01T00:00:00.000Z' },
      forwarders: ['http'],
      force: false,
      count: 1
    }],
    [['replay', '--dead', '--force'], { action: 'replay', from: 'dead letters', filter: {}, forwarders: ['gone', 'http'], force: true, count: 0 }],
    [['quarantine', 'release', quarantined.id, quarantined.id, '--force'], { action: 'release', from: 'quarantine', deliveryIds: [quarantined.id], force: true, count: 1 }],
    [['quarantine', 'release', '--all'], { action: 'release', from: 'quarantine', filter: { all: 'true' }, force: false, count: 0 }, 1],
    [['quarantine', 'discard', other.id, '--yes'], { action: 'discard', from: 'quarantine', deliveryIds: [other.id], count: 1 }],
    [['forwarders', 'forget', 'gone'], { action: 'forget', forwarders: ['gone'], force: false }],
    [['prune'], { action: 'prune' }],
    [['backup', backup], { action: 'backup', file: backup }]
  ]
  for (const [args, told, expected = 0] of steps) {
    const before = listed(dataDir).length
    const { code, stderr } = await run(dataDir, args)
    t.equal(code, expected, `${args.join(' ')}: ${stderr}`)
    t.match(listed(dataDir).slice(before), [{ ...who, ...told }], args.join(' '))
    t.equal(listed(dataDir).length, before + 1)
  }
  t.notMatch(readFileSync(actionListPath(dataDir), 'utf8'), person.id, 'the action list holds no personal data: an erasure does not remove the list')
  const restored = join(folder, 'restored')
  t.equal((await run(restored, ['restore', backup])).code, 0)
  t.match(listed(restored), [{ ...who, action: 'restore', file: backup, count: Number }])
})

t.test('an erasure is on the list without the values that were given to it', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http')
  const mine = newDelivery({ customerId: person.id })
  store.append(mine, newDelivery())
  await settleAll(http, forwarded)
  const args = ['erase', '--customer', person.id, '--source-id', person.sourceId, '--email', person.email]
  t.equal((await run(store.dataDir, [...args, '--dry-run'])).code, 0)
  t.strictSame(listed(store.dataDir), [], 'a dry run is not recorded as an action')
  t.equal((await run(store.dataDir, args)).code, 0)
  t.same(listed(store.dataDir), [{ via: 'command', user: 'anna', action: 'erase', by: ['customer', 'source_id', 'email'], deliveryIds: [mine.id], force: false, count: 1 }])
  const text = readFileSync(actionListPath(store.dataDir), 'utf8')
  for (const value of Object.values(person)) t.notMatch(text, value)
})

t.test('commands that only read or count, or that were not confirmed, leave no line', async (t) => {
  const store = makeStore(t)
  store.append(newDelivery(), quarantinedDelivery())
  store.feed('http')
  for (const args of [['deliveries'], ['quarantine'], ['verify'], ['forwarders'], ['replay', '--all', '--dry-run'], ['prune', '--dry-run']]) t.equal((await run(store.dataDir, args)).code, 0, args.join(' '))
  t.equal((await run(store.dataDir, ['quarantine', 'discard', '--all'], { ask: async () => 'n' })).code, 1)
  t.equal((await run(store.dataDir, ['replay', 'ffff'])).code, 2)
  t.strictSame(listed(store.dataDir), [])
})

t.test('a command that is stopped or fails halfway is on the list with the part that was done', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(...Array.from({ length: 600 }, () => newDelivery()))
  await settleAll(http, forwarded)
  const asked = watchOperator('replay')
  const stopped = createHarness(asked)
  const running = stopped.run('replay', '--all', '--data-dir', store.dataDir)
  await asked.done
  stopped.signal('SIGINT')
  t.equal(await running, 130)
  t.match(listed(store.dataDir), [{ action: 'replay', filter: { all: 'true' }, count: 500, ended: 'stopped' }])

  let calls = 0
  const failing: HarnessOptions = {
    openOperator (options) {
      const operator = openOperator(options)
      return {
        ...operator,
        async replay (request) {
          if (calls++ > 0) throw new StoreError('STORE_BUSY', 'The database is in use')
          return await operator.replay(request)
        }
      }
    }
  }
  t.equal((await run(store.dataDir, ['replay', '--all'], failing)).code, 1)
  t.match(listed(store.dataDir)[1], { action: 'replay', count: 500, ended: 'failed' })
})

t.test('a list that cannot be written is reported, and does not undo the action', async (t) => {
  const store = makeStore(t)
  store.append(quarantinedDelivery())
  mkdirSync(actionListPath(store.dataDir))
  const { code, stdout, stderr } = await run(store.dataDir, ['quarantine', 'discard', '--all', '--yes'])
  t.equal(code, 0)
  t.equal(stdout, '1 delivery discarded\n')
  t.match(stderr, /^tierhook: the action was done, but could not be added to the list of actions, operator-actions\.ndjson in .* \(EISDIR/)
})
