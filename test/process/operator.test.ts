import t from 'tap'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHarness } from '../commands/harness.js'
import { httpDestination, type Teardown } from '../forwarders/http/support/servers.js'
import { plainNode, program } from '../support/program.js'

/** A destination that answers with the set status, and keeps accepted bodies. */
async function startDestination (t: Teardown) {
  const state = { status: 503, taken: [] as string[] }
  const { url } = await httpDestination(t, ({ body }, response) => {
    if (state.status < 300) state.taken.push(body.toString())
    response.writeHead(state.status).end()
  })
  return { state, url: `${url}hook` }
}

async function until<T> (read: () => Promise<T> | T, holds: (value: T) => boolean, what: string): Promise<T> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (performance.now() > deadline) throw new Error(`Timed out after two minutes: ${what}: ${JSON.stringify(value)}`)
    await new Promise(resolve => { setTimeout(resolve, 100) })
  }
}

t.test('dead letters, replays, quarantine and forwarders are managed beside a running service and without one', async t => {
  const directory = t.testdir()
  mkdirSync(join(directory, 'data'))
  const destination = await startDestination(t)
  const environment = {
    PATH: process.env['PATH'] ?? '',
    PORT: '0',
    ADMIN_PORT: '0',
    FORWARDERS: 'file,http',
    HTTP_FORWARDER_URL: destination.url,
    RETRY_MIN_MS: '20',
    RETRY_MAX_MS: '50',
    RETRY_GIVE_UP_MS: '60',
    VOUCHERIFY_WEBHOOK_SECRETS: 'a-secret-of-some-length'
  }

  /** Runs in this process, which is not the service's. */
  async function run (...args: string[]) {
    const { stdout, stderr, run } = createHarness({ environment, directory })
    const code = await run(...args)
    return { code, stdout: stdout.text, stderr: stderr.text }
  }

  async function json (...args: string[]) {
    const { code, stdout, stderr } = await run(...args, '--json')
    t.equal(code, 0, `${args.join(' ')} ${stderr}`)
    return stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
  }

  async function serve () {
    const child = spawn('env', [...plainNode, program], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => { child.kill('SIGKILL') })
    const ended = new Promise(resolve => { child.on('close', resolve) })
    let log = ''
    child.stdout.on('data', (chunk: Buffer) => { log += chunk.toString() })
    const line = await until(() => log.split('\n').find(line => line.includes('"msg":"listening"')), found => found?.endsWith('}') === true, 'listening')
    return {
      url: String(JSON.parse(line ?? '').url),
      log: () => log,
      stop: async () => {
        child.kill('SIGTERM')
        await ended
      }
    }
  }

  const service = await serve()
  const sent = await run('send', 'customer.loyalty.tier.left', '--url', service.url, '--count', '3')
  t.equal(sent.code, 0, sent.stderr)
  await run('send', 'customer.loyalty.tier.left', '--invalid', '--url', service.url)

  const letters = await until(async () => await json('dead-letters'), found => found.length === 3, 'three dead letters')
  t.match(letters[0], { forwarder: 'http', reason: /503/ })
  const shown = await json('show', String(letters[0].id))
  t.match(shown[0].attempts[0], { forwarder: 'http', outcome: 'retry', detail: /503/, durationMs: Number })
  t.match((await run('show', String(letters[0].id))).stdout, /http {2}dead since/)
  t.match((await run('quarantine')).stdout, 'invalid')

  destination.state.status = 200
  t.match((await run('replay', String(letters[0].id), '--forwarder', 'http')).stdout, '1 replay requested')
  await until(() => destination.state.taken.length, count => count === 1, 'the replay arrives while the service runs')
  await until(async () => (await json('dead-letters')).length, count => count === 2, 'the replayed delivery is no dead letter any more')

  const held = (await json('quarantine'))[0]
  t.equal((await run('quarantine', 'release', String(held.id))).code, 1, 'an invalid event is not released without --force')
  t.equal((await run('quarantine', 'release', String(held.id), '--force')).code, 0)
  await until(() => destination.state.taken.length, count => count === 2, 'the released delivery arrives')
  t.match((await run('forwarders', 'forget', 'http')).stderr, 'A service runs with the forwarder http')
  await service.stop()

  t.match(await run('replay', '--dead'), { code: 0, stdout: '2 replays requested', stderr: 'they go out when it starts' })
  const second = await serve()
  await until(() => destination.state.taken.length, count => count === 4, 'the replays arrive after a start')
  await until(async () => (await json('dead-letters')).length, count => count === 0, 'no dead letter is left')
  const file = readFileSync(join(directory, 'data', 'events.ndjson'), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line))
  t.equal(file.length, 4, 'the file has each event once')
  t.ok(file.every(({ replay }) => replay === undefined), 'a released delivery is not marked as a replay')
  await second.stop()

  environment.FORWARDERS = 'file'
  const third = await serve()
  t.match(JSON.parse(await until(() => third.log().split('\n').find(line => line.includes('forwarder not configured')) ?? '', line => line !== '', 'the warning')), { level: 40, forwarder: 'http', pending: 0 })
  t.match((await run('forwarders', 'forget', 'http')).stdout, 'Forgot http')
  t.same((await json('forwarders')).map(({ name }) => name), ['file'])
  t.match(await run('verify', '--full'), { code: 0, stdout: '4 deliveries checked, none damaged, the database is sound' })
  await third.stop()
})
