import t from 'tap'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { dirname, join } from 'node:path'
import { createHarness } from '../commands/harness.js'
import { eventually } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'
import { postBody, postEvent, startServiceProcess } from '../support/service-process.js'

const person = ['cust_ErasedLive01', 'erased.live@example.com', 'Erased Live']

/** A file of the built program. */
function built (path: string): string {
  return join(dirname(program), path)
}

/** The time is now, because an old event would be quarantined. */
const occurredAt = new Date().toISOString()

function body (eventId: string): Buffer {
  const customer = { id: person[0], object: 'customer', email: person[1], name: person[2] }
  return Buffer.from(JSON.stringify({
    id: `whs_${eventId}`,
    type: 'tier.upgraded',
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: eventId, type: 'customer.loyalty.tier.upgraded', created_at: occurredAt },
    data: { customer, campaign: null, loyalty_tier_from: null, loyalty_tier_to: { id: 'ltr_1' }, created_at: occurredAt }
  }))
}

t.test('a person is erased while the service runs: no byte is left in the database or its WAL, and webhooks are accepted', async t => {
  const dataDir = t.testdir()
  const served = await startServiceProcess(dataDir)
  t.teardown(() => served.kill('SIGKILL'))
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  t.teardown(() => { agent.destroy() })
  for (let index = 0; index < 100; index++) {
    t.equal((await postEvent(served.url, `ev_o${index}`, agent)).status, 202)
    if (index % 5 === 0) t.equal((await postBody(served.url, body(`ev_p${index}`), agent)).status, 202)
  }
  const held = (): string[] => {
    const text = ['tierhook.db', 'tierhook.db-wal'].filter(name => existsSync(join(dataDir, name))).map(name => readFileSync(join(dataDir, name), 'latin1')).join('\n')
    return person.filter(word => text.includes(word))
  }
  t.equal(held().length, 3)
  const answers: Array<{ status: number, ms: number }> = []
  let sending = true
  const sender = (async () => { for (let index = 0; sending; index++) answers.push(await postEvent(served.url, `ev_q${index}`, agent)) })()
  // The file forwarder may not have reported the last one yet.
  const erased = await eventually(async () => {
    const harness = createHarness()
    const code = await harness.run('erase', '--customer', person[0] ?? '', '--email', person[1] ?? '', '--data-dir', dataDir)
    return harness.stderr.text.includes('Nothing was erased') ? undefined : { code, stdout: harness.stdout.text, stderr: harness.stderr.text }
  }, 'all deliveries of the person to be forwarded')
  sending = false
  await sender
  t.equal(erased.code, 0, erased.stderr)
  t.match(erased.stdout, '20 deliveries erased')
  t.strictSame(held(), [])
  t.strictSame(answers.filter(({ status }) => status !== 202), [])
  t.ok(Math.max(...answers.map(({ ms }) => ms)) < 4000, `${Math.max(...answers.map(({ ms }) => ms))} ms`)
  t.equal((await postBody(served.url, body('ev_p0'), agent)).status, 200, 'a copy of an erased event is still a duplicate')
  t.equal(await served.kill('SIGTERM'), 0)
  t.strictSame(held(), [])
})

t.test('the whole file is rewritten, with its temporary data on disk and not in memory', t => {
  const folder = t.testdir()
  const script = `
    import { openForWriting } from ${JSON.stringify(built('journal/sqlite/database.js'))}
    import { scrub } from ${JSON.stringify(built('journal/sqlite/erase/scrub.js'))}
    const db = openForWriting(${JSON.stringify(join(folder, "it's.db"))})
    db.exec('CREATE TABLE t (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO t SELECT zeroblob(1000000) FROM n')
    const before = process.resourceUsage().maxRSS
    scrub(db, { whole: true })
    console.log(process.resourceUsage().maxRSS - before, db.prepare('PRAGMA temp_store').get().temp_store)`
  const [kilobytes, tempStore] = execFileSync('env', [...plainNode, '--input-type=module', '-e', script], { encoding: 'utf8' }).split(' ').map(Number)
  t.ok(Number(kilobytes) < 50_000, `${kilobytes} KB more for a database of 100 MB`)
  t.equal(tempStore, 2, 'afterwards other temporary data is kept in memory again')
  t.strictSame(readdirSync(folder).filter(name => !name.startsWith("it's.db")), [])
  t.end()
})
