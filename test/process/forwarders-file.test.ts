import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { eventually } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'

interface Running {
  readonly child: ChildProcess
  readonly output: { stdout: string, stderr: string }
  readonly ended: Promise<number | null>
  readonly url: () => Promise<string>
}

function run (t: Test, directory: string, args: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn('env', [...plainNode, program, ...args], { cwd: directory, env: { PATH: process.env['PATH'], PORT: '0', ADMIN_PORT: '0', ...environment } })
  t.teardown(() => { child.kill('SIGKILL') })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => { output.stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { output.stderr += chunk.toString() })
  const ended = new Promise<number | null>((resolve) => { child.on('close', resolve) })
  return {
    child,
    output,
    ended,
    url: async () => await eventually(() => /"url":"([^"]+)"/.exec(output.stdout)?.[1], 'the service to listen')
  }
}

async function send (url: string, index: number, eventType: 'customer.loyalty.tier.upgraded' | 'campaign.loyalty_tier.created'): Promise<void> {
  const answer = await request(`${url}/webhooks`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(sampleEnvelope(eventType, { index, now: new Date() }))
  })
  t.equal(answer.statusCode, 202)
  await answer.body.dump()
}

const own = `
  import { appendFileSync } from 'node:fs'
  import { resolve } from 'node:path'
  export function createForwarder ({ path, token }, { name, folder, logger }) {
    const file = resolve(folder, path)
    const write = (value) => { appendFileSync(file, JSON.stringify(value) + '\\n') }
    return {
      order: 'arrival',
      async start (position) { write({ started: position, token }) },
      async forward (attempts) {
        for (const { delivery } of attempts) {
          write({ name, type: delivery.eventType })
          logger.info({ deliveryId: delivery.id }, 'taken')
        }
        return { outcomes: attempts.map(() => ({ status: 'forwarded' })), position: 'here' }
      },
      async check () { write({ checked: true }) },
      async close () { write({ closed: true }) }
    }
  }`

function folderWith (t: Test): string {
  return t.testdir({
    conf: {
      'own.mjs': own,
      'forwarders.json': JSON.stringify([
        { name: 'mine', type: './own.mjs', options: { path: 'out.ndjson', token: '${MY_TOKEN}' }, events: ['customer.*'] }, // eslint-disable-line no-template-curly-in-string
        { name: 'first', type: 'file', path: 'all.ndjson' },
        { name: 'second', type: 'file', path: 'one.ndjson', where: [{ pointer: '/loyalty_tier_to', exists: true }] }
      ])
    }
  })
}

const lines = (path: string): ReadonlyArray<Record<string, unknown>> => readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))

t.test('a custom forwarder, and several forwarders of one kind, get the deliveries that they ask for, also after a restart', async (t) => {
  const directory = folderWith(t)
  const environment = { FORWARDERS_FILE: 'conf/forwarders.json', MY_TOKEN: 'hunter2' }
  const out = join(directory, 'conf/out.ndjson')
  const service = run(t, directory, ['serve'], environment)
  const url = await service.url()
  await send(url, 1, 'campaign.loyalty_tier.created')
  await send(url, 2, 'customer.loyalty.tier.upgraded')
  await eventually(() => lines(out).length === 2 && readFileSync(join(directory, 'conf/all.ndjson'), 'utf8').split('\n').length === 3 ? true : undefined, 'the deliveries')
  service.child.kill('SIGTERM')
  t.equal(await service.ended, 0)
  t.strictSame(lines(out), [{ started: null, token: 'hunter2' }, { name: 'mine', type: 'customer.loyalty.tier.upgraded' }, { closed: true }])
  t.match(lines(join(directory, 'conf/all.ndjson')), [{ eventType: 'campaign.loyalty_tier.created' }, { eventType: 'customer.loyalty.tier.upgraded' }])
  t.match(lines(join(directory, 'conf/one.ndjson')), [{ eventType: 'customer.loyalty.tier.upgraded' }])
  t.match(service.output.stdout, /"forwarder":"mine","deliveryId":".*"msg":"taken"/)
  t.notMatch(service.output.stdout, 'hunter2')

  const again = run(t, directory, ['serve'], environment)
  await again.url()
  again.child.kill('SIGTERM')
  t.equal(await again.ended, 0)
  t.match(lines(out).slice(3), [{ started: 'here' }, { closed: true }])

  // Commands need no secret to find the configured forwarders.
  const known = run(t, directory, ['forwarders', '--json'], { FORWARDERS_FILE: 'conf/forwarders.json' })
  t.equal(await known.ended, 0)
  t.match(known.output.stdout.trimEnd().split('\n').map((line) => JSON.parse(line)), [
    { name: 'first', configured: true }, { name: 'mine', configured: true }, { name: 'second', configured: true }
  ])
})

t.test('faults of the file stop the start, all at once, before anything is created', async (t) => {
  const directory = t.testdir({ 'forwarders.json': '[{"name":"a","type":"http","url":"x"},{"name":"a","type":"./gone.mjs"}]', 'gone.json': '[{"name":"a","type":"./gone.mjs"}]' })
  const wrong = run(t, directory, [], { FORWARDERS_FILE: 'forwarders.json', FORWARDERS: 'log' })
  t.equal(await wrong.ended, 2)
  t.match(wrong.output.stderr, 'FORWARDERS: is set, but so is FORWARDERS_FILE')
  const file = run(t, directory, [], { FORWARDERS_FILE: 'forwarders.json' })
  t.equal(await file.ended, 2)
  t.match(file.output.stderr, /has 2 faults:\n.*forwarders\.json \/0\/url: must be .*\n.*forwarders\.json \/1\/name: is the name of another/)
  const module = run(t, directory, [], { FORWARDERS_FILE: 'gone.json' })
  t.equal(await module.ended, 2)
  t.match(module.output.stderr, /forwarder a: The module \.\/gone\.mjs cannot be loaded/)
})

t.test('check shows the forwarders and tries them, and runs nothing', async (t) => {
  const directory = folderWith(t)
  const check = run(t, directory, ['check', '--connect'], { FORWARDERS_FILE: 'conf/forwarders.json', MY_TOKEN: 'hunter2' })
  t.equal(await check.ended, 0)
  t.match(check.output.stdout, /mine \(\.\/own\.mjs\)[^]*connection: ok[^]*first \(file\)[^]*connection: ok/)
  t.notMatch(check.output.stdout + check.output.stderr, 'hunter2')
  t.strictSame(lines(join(directory, 'conf/out.ndjson')), [{ checked: true }, { closed: true }])
})

t.test('a module that ends the process while it is loaded is a fault for check, which once exited with 0 and said nothing', async (t) => {
  const directory = t.testdir({ 'forwarders.json': '[{"name":"own","type":"./own.mjs"}]', 'own.mjs': 'process.exit(0)' })
  const check = run(t, directory, ['check'], { FORWARDERS_FILE: 'forwarders.json' })
  t.equal(await check.ended, 2)
  t.equal(check.output.stderr, 'tierhook: The module of a custom forwarder ended the process while it was loaded\n')
})
