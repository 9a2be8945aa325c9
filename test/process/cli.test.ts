import t from 'tap'
import { execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { sign } from '../../src/voucherify/signature.js'
import { startServer } from '../commands/harness.js'
import { makeStore, newDelivery, quarantinedDelivery } from '../journal/sqlite/stored.js'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the built program to its end, because its use of the process is tested nowhere else. */
async function run (directory: string, args: readonly string[], environment: Record<string, string> = {}, input?: Buffer): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { cwd: directory, env: { PATH: process.env['PATH'], ADMIN_PORT: '0', ...environment }, timeout: 300_000 })
  const output = { stdout: '', stderr: '' }
  // The program may stop reading before everything is written.
  child.stdin.on('error', () => {})
  if (input !== undefined) child.stdin.end(input)
  child.stdout.on('data', (chunk: Buffer) => { output.stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { output.stderr += chunk.toString() })
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => { resolve({ code, ...output }) })
  })
}

t.test('the help and the version are shown', async t => {
  const help = await run(t.testdir(), ['--help'])
  t.equal(help.code, 0)
  t.match(help.stdout, 'Usage: tierhook')
  const version = await run(t.testdir(), ['--version'])
  t.equal(version.stdout.trim(), JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
})

t.test('the events are listed', async t => {
  const { code, stdout } = await run(t.testdir(), ['events', '--json'])
  t.equal(code, 0)
  t.equal(JSON.parse(stdout).length, 25)
})

t.test('a wrong configuration stops the start, names every variable, and shows no secret', async t => {
  const directory = t.testdir({ '.env': 'FORWADERS=log\nBODY_LIMIT_BYTES=big\n' })
  const { code, stdout, stderr } = await run(directory, [], { PORT: '70000', VOUCHERIFY_WEBHOOK_SECRETS: 'hunter 2', HOST: '0.0.0.0' })
  t.equal(code, 2)
  t.equal(stdout, '')
  for (const name of ['FORWADERS', 'BODY_LIMIT_BYTES', 'PORT', 'VOUCHERIFY_WEBHOOK_SECRETS']) t.match(stderr, `\n  ${name}: `)
  t.match(stderr, 'did you mean FORWARDERS?')
  t.notMatch(stderr, 'hunter')
})

t.test('a first configuration can be written to another file than .env, which Node.js does not look for itself', async t => {
  const directory = t.testdir()
  t.match(await run(directory, ['init', '--yes', '--port', '4000', '--out', 'other.env']), { code: 0, stderr: '' })
  t.match(readFileSync(join(directory, 'other.env'), 'utf8'), '\nPORT=4000\n')
})

t.test('an unknown command ends with the code of a usage error', async t => {
  const { code, stderr } = await run(t.testdir(), ['sevre'])
  t.equal(code, 2)
  t.match(stderr, 'Did you mean serve?')
})

t.test('a secret is read from standard input, and no further than a secret may be long', async t => {
  const server = await startServer(t, (_request, response) => { response.writeHead(202).end('{}') })
  const args = ['send', 'customer.loyalty.tier.left', '--url', server.url, '--secret-file', '-']
  t.match(await run(t.testdir(), args, {}, Buffer.from('key of the input\n')), { code: 0, stderr: '' })
  const [request] = server.requests
  t.equal(request?.headers['x-voucherify-signature'], sign(Buffer.from(request?.body ?? ''), 'key of the input'))
  t.match(await run(t.testdir(), args, {}, Buffer.alloc(5_000_000, 'hunter')), { code: 2, stderr: /^tierhook: --secret-file: standard input holds more than one line of up to 8192 bytes/ })
  t.match(await run(t.testdir(), args, {}, Buffer.alloc(0)), { code: 2, stderr: /standard input is empty/ })
  t.equal(server.requests.length, 1)
})

t.test('output larger than a pipe arrives whole at a slow reader', async t => {
  const directory = t.testdir({ data: {} })
  const store = makeStore(t, join(directory, 'data'))
  store.append(...Array.from({ length: 500 }, () => newDelivery({ customerId: 'x'.repeat(2000) })))
  store.close()
  const list = () => {
    const child = spawn(process.execPath, [program, 'deliveries', '--json', '--limit', '500'], { cwd: directory, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => { child.kill('SIGKILL') })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
    return { child, ended: new Promise(resolve => { child.on('close', code => { resolve({ code, stderr }) }) }) }
  }

  const { child, ended } = list()
  let text = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += String(chunk)
    for (let turns = 0; turns < 100; turns++) await turn()
  }
  t.same(await ended, { code: 0, stderr: '' })
  t.ok(text.length > 1_000_000)
  t.equal(text.split('\n').length, 501)
  t.ok(text.endsWith('}\n'))

  const enough = list()
  enough.child.stdout.once('data', () => { enough.child.stdout.destroy() })
  t.same(await enough.ended, { code: 0, stderr: '' }, 'a reader that closes the pipe early, such as head, is not an error')
})

t.test('a reader that closes the pipe early does not stop a release, and the list has what was released', async t => {
  const directory = t.testdir({ data: {} })
  const store = makeStore(t, join(directory, 'data'))
  store.append(...Array.from({ length: 3000 }, () => quarantinedDelivery()))
  store.close()
  const child = spawn(process.execPath, [program, 'quarantine', 'release', '--all', '--force', '--json'], { cwd: directory, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.once('data', () => { child.stdout.destroy() })
  t.equal(await new Promise(resolve => { child.on('close', resolve) }), 0)
  const list = readFileSync(join(directory, 'data', 'operator-actions.ndjson'), 'utf8').trim().split('\n')
  t.match(list.map((line) => JSON.parse(line)), [{ action: 'release', count: 3000 }])
})

t.test('an output that cannot be written fails the command, and says so in a line', { skip: !existsSync('/dev/full') }, async t => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => { closeSync(full) })
  for (const args of [['events'], ['--help']]) {
    const child = spawn(process.execPath, [program, ...args], { cwd: t.testdir(), env: { PATH: process.env['PATH'] }, stdio: ['ignore', full, 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
    t.equal(await new Promise(resolve => { child.on('close', resolve) }), 1)
    t.equal(stderr, 'tierhook: the output cannot be written (ENOSPC): check the room and the permissions where it goes\n')
  }
})

t.test('a data folder that other users control stops the start before anything is written there, and readable secrets are reported', { skip: process.getuid?.() !== 0 && 'needs root' }, async t => {
  const directory = t.testdir({ data: {}, '.env': 'VOUCHERIFY_WEBHOOK_SECRETS=hunter\n' })
  const data = join(directory, 'data')
  chownSync(data, 4001, 4001)
  chmodSync(data, 0o777)
  chmodSync(join(directory, '.env'), 0o644)
  const asOther = await new Promise<Ended>((resolve) => {
    const child = execFile('env', [...plainNode, program], { cwd: directory, env: { PATH: process.env['PATH'] }, uid: 4002, gid: 4002, timeout: 60_000 }, (_error, stdout, stderr) => { resolve({ code: child.exitCode, stdout, stderr }) })
  })
  t.match(asOther, { code: 2, stdout: '', stderr: `DATA_DIR: is ${data}, which belongs to another user (uid 4001), and which everybody can write to (mode 0777)` })
  t.strictSame(readdirSync(data), [])
  const asRoot = await run(directory, ['check', '--json'])
  t.equal(asRoot.code, 0)
  t.match(JSON.parse(asRoot.stdout).warnings, [
    { variable: 'DATA_DIR', message: /which everybody on this machine can write to \(mode 0777\)/ },
    { variable: '.env', message: /can be read by everybody .*mode 0644\), and holds VOUCHERIFY_WEBHOOK_SECRETS; chmod o-r it/ }
  ])
  const service = await startServiceProcess(data, { PORT: '0' })
  t.equal(await service.kill('SIGTERM'), 0)
  t.match(service.log(), /"level":40,.*"variable":"DATA_DIR","reason":"is .*mode 0777\).*","msg":"configuration warning"/)
})

t.test('the service runs until SIGTERM, and a second one at the same port says what to do', async t => {
  const directory = t.testdir()
  const child = spawn(process.execPath, [program], { cwd: directory, env: { PATH: process.env['PATH'], PORT: '0', ADMIN_PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const ended = new Promise(resolve => { child.on('close', resolve) })
  let log = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.on('close', () => { reject(new Error(`it ended: ${log}`)) })
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      const line = log.split('\n').find(line => line.includes('"msg":"listening"'))
      if (line?.endsWith('}') === true) resolve(JSON.parse(line).url)
    })
  })
  const { port } = new URL(url)
  mkdirSync(join(directory, 'second'))

  const second = await run(join(directory, 'second'), [], { PORT: port })
  t.equal(second.code, 1)
  t.match(second.stderr, `Cannot listen at 127.0.0.1:${port}: another program listens there.`)

  child.kill('SIGTERM')
  t.equal(await ended, 0)
  t.match(log, /"msg":"stopped"\}\n$/)
})

t.test('files that root creates with a command do not block the service\'s user afterwards', { skip: process.getuid?.() !== 0 && 'needs root' }, async t => {
  const directory = t.testdir({ data: {} })
  const data = join(directory, 'data')
  const store = makeStore(t, data)
  store.append(quarantinedDelivery())
  store.close()
  for (const path of [data, ...readdirSync(data).map((name) => join(data, name))]) chownSync(path, 4001, 4001)
  t.equal((await run(directory, ['erase', '--customer', 'nobody'])).code, 0)
  const asService = async (...args: string[]) => await new Promise<Ended>((resolve) => {
    const child = execFile('env', [...plainNode, program, ...args], { cwd: directory, env: { PATH: process.env['PATH'] }, uid: 4001, gid: 4001, timeout: 60_000 }, (_error, stdout, stderr) => { resolve({ code: child.exitCode, stdout, stderr }) })
  })
  t.match(await asService('quarantine', 'discard', '--all', '--yes'), { code: 0, stderr: '' })
  t.match(await asService('erase', '--customer', 'nobody else'), { code: 0, stderr: '' })

  // In root's folder again, a copy to another folder fails because of the database, not the target.
  mkdirSync(join(directory, 'backups'))
  chownSync(join(directory, 'backups'), 4001, 4001)
  for (const ending of ['-wal', '-shm']) rmSync(join(data, `tierhook.db${ending}`), { force: true })
  chownSync(data, 0, 0)
  const copied = await asService('backup', 'backups/copy.db', '--data-dir', data)
  t.match(copied, { code: 1, stderr: `tierhook: ${data}/tierhook.db cannot be read (SQLITE_` })
})

t.test('a database that root restores into a folder of the service\'s user can be served by that user', { skip: process.getuid?.() !== 0 && 'needs root' }, async t => {
  const directory = t.testdir({ data: {}, restored: {} })
  const restored = join(directory, 'restored')
  const store = makeStore(t, join(directory, 'data'))
  store.append(quarantinedDelivery())
  store.close()
  chownSync(restored, 4001, 4001)
  t.match(await run(directory, ['backup', 'copy.db']), { code: 0 })
  t.match(await run(directory, ['restore', 'copy.db', '--data-dir', restored]), { code: 0 })
  const service = await startServiceProcess(restored, {}, () => {}, ['setpriv', '--reuid', '4001', '--regid', '4001', '--clear-groups'])
  t.teardown(() => service.kill('SIGKILL'))
  t.equal((await postEvent(service.url, 'ev_1')).status, 202)
  t.equal(await service.kill('SIGTERM'), 0)
  for (const name of readdirSync(restored)) t.equal(statSync(join(restored, name)).uid, 4001, name)
})
