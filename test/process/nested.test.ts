import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { createHarness } from '../commands/harness.js'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'
import { eventBody, postBody, startServiceProcess } from '../support/service-process.js'

const LEVELS = 20_000
const LISTS = `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`
const OBJECTS = `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`

/** Lists and objects in each place where one is allowed, and in some where none is. */
const bodies: ReadonlyArray<readonly [what: string, body: string]> = [
  ['metadata', eventBody('ev_metadata').replace('"object":"customer"', `"object":"customer","email":"jan@shop.example","metadata":{"x":${LISTS}}`)],
  ['a key that nobody knows', eventBody('ev_key').replace('"campaign":null', `"campaign":null,"news":${OBJECTS}`)],
  ['what should be a tier', eventBody('ev_tier').replace('"loyalty_tier_from":null', `"loyalty_tier_from":${OBJECTS}`)],
  ['what should be a customer', eventBody('ev_customer').replace(/"customer":\{[^}]*\}/, `"customer":${LISTS}`)],
  ['an event that has no schema', eventBody('ev_other').replace('customer.loyalty.tier.upgraded', 'some.other.type').replace('"campaign":null', `"campaign":${LISTS}`)],
  ['a key called __proto__', eventBody('ev_poison').replace('"campaign":null', `"campaign":null,"news":${OBJECTS.replace('1', '{"__proto__":1}')}`)],
  ['content that is told by a digest', `{"event":{"type":"no.id","created_at":"${new Date().toISOString()}"},"data":${OBJECTS}}`],
  ['nothing but lists', LISTS],
  ['nothing but objects', OBJECTS]
]

t.test('bodies of 20,000 nested lists and objects are accepted, forwarded, shown, listed, released, replayed, backed up and erased like others', async (t) => {
  const dataDir = t.testdir({})
  const { url, received } = await httpDestination(t)
  const adminPort = await freePort()
  const service = await startServiceProcess(dataDir, {
    ADMIN_PORT: String(adminPort), FORWARDERS: 'log,file,http', LOG_FORWARDER_DATA: 'true', LOG_REDACT: 'data.customer.email,data.news.*.a,*.campaign', HTTP_FORWARDER_URL: url
  })
  t.teardown(async () => { await service.kill('SIGTERM') })
  const api = `http://127.0.0.1:${adminPort}/api`

  /** Runs in this process, beside the service. */
  async function run (...args: string[]): Promise<string> {
    return await runTo(0, ...args)
  }

  async function runTo (code: number, ...args: string[]): Promise<string> {
    const harness = createHarness({ directory: dataDir, environment: { DATA_DIR: dataDir, FORWARDERS: 'log,file,http' } })
    t.equal(await harness.run(...args), code, `${args.join(' ')}: ${harness.stderr.text}`)
    return harness.stdout.text
  }

  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const ids = new Map<string, string>()
  for (const [what, body] of bodies) {
    const { status, body: answer } = await postBody(service.url, Buffer.from(body), agent)
    t.equal(status, 202, what)
    ids.set((JSON.parse(answer) as { id: string }).id, body)
  }
  t.equal((await postBody(service.url, Buffer.from(bodies[6]?.[1] ?? ''), agent)).status, 200, 'a copy is recognised as a duplicate')

  for (const [id, body] of ids) {
    const answer = await fetch(`${api}/deliveries/${id}`)
    t.equal((await answer.json() as { body: string }).body, body, 'the operator API returns the whole body')
    const lines = (await run('show', id)).trimEnd().split('\n')
    t.ok(lines.length < 1000 && lines.every((line) => line.length < body.length + 300), 'levels below some hundred are not indented')
    t.equal(lines.slice(lines.findIndex((line) => line.startsWith('Body, ')) + 1).join('').replaceAll(/\s/g, ''), body.replaceAll(/\s/g, ''))
    const shown = JSON.parse(await run('show', id, '--json')) as { bodyBase64: string }
    t.equal(Buffer.from(shown.bodyBase64, 'base64').toString(), body, 'the body is shown as base64, because jq reads fewer levels')
    t.equal(await run('show', id, '--raw'), body)
  }
  const { status, stderr } = spawnSync('env', [...plainNode, program, 'show', [...ids.keys()][0] ?? ''], { env: { PATH: process.env['PATH'], DATA_DIR: dataDir }, encoding: 'utf8' })
  t.equal(status, 0, stderr)
  await eventually(() => existsSync(join(dataDir, 'observations.json')) || undefined, 'the observations file')
  await run('drift')
  // All of them are still invalid, so this releases none.
  await runTo(1, 'quarantine', 'release', '--all')
  await run('quarantine', 'release', '--all', '--force')
  await eventually(async () => {
    const { deliveries } = await (await fetch(`${api}/deliveries`)).json() as { deliveries: ReadonlyArray<{ forwarders: ReadonlyArray<{ status: string }> }> }
    return deliveries.every(({ forwarders }) => forwarders.every(({ status }) => status === 'forwarded')) || undefined
  }, 'all deliveries to be forwarded')
  t.match(await run('replay', '--since', '1h'), `${bodies.length * 3} replays requested`)
  await eventually(() => received.length === bodies.length * 2 || undefined, 'all deliveries to be forwarded again')
  t.strictSame(new Set(received.map(({ body }) => body.toString())), new Set(ids.values()))

  const fileLines = await eventually(() => {
    const lines = readFileSync(join(dataDir, 'events.ndjson'), 'utf8').trimEnd().split('\n')
    return lines.length === bodies.length * 2 ? lines : undefined
  }, 'all events in the file')
  for (const line of fileLines) t.type((JSON.parse(line) as { body: unknown }).body, 'string', 'the body is stored as base64')
  const logged = await eventually(() => {
    const lines = service.log().trimEnd().split('\n').filter((line) => line.includes('"data":'))
    return lines.length === bodies.length * 2 ? lines : undefined
  }, 'all events in the log')
  for (const line of logged) t.match((JSON.parse(line) as { data: unknown }).data, 'nested more than 250 levels deep')
  t.notMatch(service.log(), 'jan@shop.example')

  t.match(await run('verify', '--full'), `${bodies.length} deliveries checked, none damaged, the database is sound`)
  await run('backup', join(dataDir, 'copy.db'))
  t.match(await run('erase', '--customer', 'cust_ev_metadata'), '1 delivery erased')
})
