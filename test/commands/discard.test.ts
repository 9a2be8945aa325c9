import t from 'tap'
import { openOperator } from '../../src/composition/open-store.js'
import { dead, quarantinedDelivery, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'

t.test('quarantined deliveries are counted, confirmed and discarded', async (t) => {
  const store = makeStore(t)
  const young = quarantinedDelivery({ receivedAt: Date.now() })
  store.append(quarantinedDelivery({ receivedAt: 1000 }), quarantinedDelivery({ receivedAt: 2000 }), young)
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  const questions: string[] = []
  const asking = (answer: string | undefined): ReturnType<typeof createHarness> => createHarness({
    ask: async (question) => {
      questions.push(question)
      return answer
    }
  })

  const no = asking('n')
  t.equal(await no.run('quarantine', 'discard', '--all', '--data-dir', store.dataDir), 1)
  t.match(no.stderr.text, 'Nothing was discarded.')
  t.match(questions, ['Discard 3 deliveries for good? Nothing brings them back. [y/N] '])
  const nobody = asking(undefined)
  t.equal(await nobody.run('quarantine', 'discard', '--all', '--data-dir', store.dataDir), 2)
  t.match(nobody.stderr.text, 'Give --yes')
  t.equal(await operator.countQuarantined(), 3)

  const yes = asking('yes')
  t.equal(await yes.run('quarantine', 'discard', '--older-than', '1d', '--data-dir', store.dataDir), 0)
  t.equal(yes.stdout.text, '2 deliveries discarded\n')
  const named = createHarness()
  t.equal(await named.run('quarantine', 'discard', young.id, '--yes', '--data-dir', store.dataDir), 0)
  t.equal(await operator.countQuarantined(), 0)
  const nothing = createHarness()
  t.equal(await nothing.run('quarantine', 'discard', '--all', '--yes', '--data-dir', store.dataDir), 0)
  t.match(nothing.stderr.text, 'There is nothing to discard.')
  const unclear = createHarness()
  t.equal(await unclear.run('quarantine', 'discard', '--data-dir', store.dataDir), 2)
})

t.test('dead letters of one forwarder or of all are discarded', async (t) => {
  const store = makeStore(t)
  const [http, crm] = [store.feed('http'), store.feed('crm')]
  const [first, second] = [newDelivery(), newDelivery()]
  store.append(first, second)
  await settleAll(http, dead)
  await settleAll(crm, dead)
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  const one = createHarness()
  t.equal(await one.run('dead-letters', 'discard', first.id, '--forwarder', 'http', '--yes', '--data-dir', store.dataDir), 0)
  t.equal(one.stdout.text, '1 dead letter discarded\n')
  const unknown = createHarness()
  t.equal(await unknown.run('dead-letters', 'discard', '--all', '--forwarder', 'crmm', '--yes', '--data-dir', store.dataDir), 2)
  const all = createHarness()
  t.equal(await all.run('dead-letters', 'discard', '--all', '--yes', '--data-dir', store.dataDir), 0)
  t.equal(all.stdout.text, '3 dead letters discarded\n')
  t.strictSame(await operator.deadLetters({ limit: 10 }), [])
})
