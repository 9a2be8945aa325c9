import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import { eventually } from '../support/eventually.js'
import { createFaultyDisk } from '../support/faulty-disk.js'
import { plainNode, program } from '../support/program.js'
import { PROCESS_SECRET, postEvent, startServiceProcess, type ServiceProcess } from '../support/service-process.js'
import { fillInodes, mountedFolder } from '../support/small-disk.js'

// Run in parallel, because most of the time a process starts or waits for a lock.
t.jobs = 2

/** The limit is off, because low disk space would be a reason of its own. */
const ENVIRONMENT = { DISK_FREE_MIN_BYTES: '0' }

const causes = {
  full: 'the disk is full',
  noInodes: 'the disk takes no more files: it has no inodes left',
  quota: 'the disk quota is used up',
  readOnly: 'the file system is read-only',
  locked: 'another program holds the database locked'
}

async function start (t: Test, dataDir: string, environment: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const service = await startServiceProcess(dataDir, { ...ENVIRONMENT, ...environment })
  t.teardown(async () => { await service.kill('SIGKILL') })
  return service
}

async function reasons (service: ServiceProcess): Promise<string[]> {
  const response = await fetch(new URL('/health/ready', service.url))
  const body = await response.json() as { reasons?: string[] }
  return body.reasons ?? []
}

/** The log lines with this message, so far. */
function logged (service: ServiceProcess, message: string): Array<Record<string, unknown>> {
  return service.log().split('\n').filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line)).filter(({ msg }) => msg === message)
}

/** The answer, the readiness check and the log name the same cause. */
async function tellsAll (t: Test, service: ServiceProcess, cause: string, { opened, before = 0 }: { readonly opened: boolean, readonly before?: number }): Promise<void> {
  const answered = await postEvent(service.url, 'ev_refused')
  t.equal(answered.status, 503)
  t.match(answered.retryAfter, /^\d+$/)
  t.equal(JSON.parse(answered.body).detail, `The webhook cannot be stored: ${cause}.`)
  // Readiness repeats its last answer for a second.
  const told = `${opened ? 'journal cannot commit' : 'journal not open'}: ${cause}`
  await eventually(async () => JSON.stringify(await reasons(service)) === JSON.stringify([told]) ? true : undefined, `the reason "${told}"`)
  const message = opened ? 'journal cannot commit' : 'journal cannot open'
  const lines = await eventually(() => logged(service, message).length > before ? logged(service, message) : undefined, `"${message}" in the log`)
  t.match(lines.slice(before), [{ level: 50, reason: cause, advice: /\w/ }], 'one line is logged')
}

async function isWellAgain (t: Test, service: ServiceProcess): Promise<void> {
  await eventually(async () => (await postEvent(service.url, 'ev_after')).status < 300 ? true : undefined, 'a webhook to be accepted again')
  t.strictSame(await reasons(service), [])
}

function fill (folder: string): void {
  try {
    writeFileSync(join(folder, 'filler'), Buffer.alloc(8 * 1024 * 1024))
  } catch {
    // The disk is full, as intended.
  }
}

/** A database lock held by another program, which is this one, until it is released. */
function lock (dataDir: string): () => void {
  const db = connect(join(dataDir, 'tierhook.db'))
  db.exec('BEGIN EXCLUSIVE')
  return db.close
}

for (const [place, subfolder] of [['the data folder', '.'], ['the folder that the data folder is to be made in', 'data']] as const) {
  t.test(`the first start with ${place} on a volume without inodes: 503 with that cause, and the service recovers when there are some`, async (t) => {
    const volume = mountedFolder(t, 'size=8m,nr_inodes=12')
    if (volume === undefined) return t.comment('no right to mount a file system')
    const giveBack = fillInodes(volume)
    const service = await start(t, volume, { DATA_DIR: join(volume, subfolder) })
    await tellsAll(t, service, causes.noInodes, { opened: false })
    giveBack()
    await isWellAgain(t, service)
    t.notOk(readdirSync(join(volume, subfolder)).some((name) => name.includes('.trial')), 'the trial files are removed')
  })

  t.test(`the first start with ${place} on a read-only file system: 503 with that cause, and the service recovers when it is writable`, async (t) => {
    const volume = mountedFolder(t, 'size=8m')
    if (volume === undefined) return t.comment('no right to mount a file system')
    execFileSync('mount', ['-o', 'remount,ro', volume])
    const service = await start(t, volume, { DATA_DIR: join(volume, subfolder) })
    await tellsAll(t, service, causes.readOnly, { opened: false })
    execFileSync('mount', ['-o', 'remount,rw', volume])
    await isWellAgain(t, service)
  })

  t.test(`the first start with ${place} on a full disk: 503 with that cause, and the service recovers when there is space`, async (t) => {
    const volume = mountedFolder(t, 'size=2m')
    if (volume === undefined) return t.comment('no right to mount a file system')
    fill(volume)
    const service = await start(t, volume, { DATA_DIR: join(volume, subfolder) })
    await tellsAll(t, service, causes.full, { opened: false })
    rmSync(join(volume, 'filler'))
    await isWellAgain(t, service)
  })
}

t.test('the first start with a used-up quota: 503 with that cause, and the service recovers when the quota is raised', async (t) => {
  const folder = t.testdir({ data: {} })
  const disk = createFaultyDisk(folder, join(folder, 'data'))
  disk.order('write EDQUOT 0')
  const service = await start(t, join(folder, 'data'), disk.environment)
  await tellsAll(t, service, causes.quota, { opened: false })
  disk.heal()
  await isWellAgain(t, service)
})

t.test('a start while another program locks the database: 503 with that cause, and the service recovers when the program ends', async (t) => {
  const dataDir = t.testdir()
  await (await start(t, dataDir)).kill('SIGTERM')
  const unlock = lock(dataDir)
  t.teardown(unlock)
  const service = await start(t, dataDir)
  await tellsAll(t, service, causes.locked, { opened: false })
  unlock()
  await isWellAgain(t, service)
})

t.test('another program locks the database under the running service: readiness, 503 and the log name that cause from the start, and never the disk', async (t) => {
  const dataDir = t.testdir()
  const service = await start(t, dataDir)
  t.equal((await postEvent(service.url, 'ev_before')).status, 202)
  const unlock = lock(dataDir)
  t.teardown(unlock)
  // After the earlier commit no longer counts for readiness.
  t.equal(await eventually(async () => (await reasons(service))[0], 'the service to report a reason'), `journal cannot commit: ${causes.locked}`)
  await tellsAll(t, service, causes.locked, { opened: true })
  // This number of requests wait behind one another.
  for (const answered of await Promise.all(Array.from({ length: 30 }, async (_, index) => await postEvent(service.url, `ev_${index}`)))) {
    t.equal(answered.status, 503)
    t.equal(JSON.parse(answered.body).detail, `The webhook cannot be stored: ${causes.locked}.`)
  }
  t.notMatch(service.log(), 'the disk')
  unlock()
  await isWellAgain(t, service)
})

t.test('a disk that is full, over its quota, read-only or failing under the running service: 503 with each cause, and the service recovers afterwards', async (t) => {
  const folder = t.testdir({ data: {} })
  const disk = createFaultyDisk(folder, join(folder, 'data'))
  const service = await start(t, join(folder, 'data'), disk.environment)
  const orders = [
    ['write ENOSPC 0', causes.full], ['write EDQUOT 0', causes.quota], ['sync EDQUOT 0', causes.quota], ['write EROFS 0', causes.readOnly], ['write EIO 0', 'the disk fails']
  ] as const
  for (const [order, cause] of orders) {
    const before = logged(service, 'journal cannot commit').length
    disk.order(order)
    await tellsAll(t, service, cause, { opened: true, before })
    disk.heal()
    await isWellAgain(t, service)
  }
  disk.order('write ENOSPC 0')
  t.equal((await postEvent(service.url, 'ev_1')).status, 503)
  disk.order('write EDQUOT 0')
  t.equal((await postEvent(service.url, 'ev_1')).status, 503)
  const told = (): readonly unknown[] => logged(service, 'journal cannot commit').map(({ reason }) => reason).slice(-2)
  await eventually(() => JSON.stringify(told()) === JSON.stringify([causes.full, causes.quota]) ? true : undefined, 'one log line for each cause, in order')
})

/** A user without this user's write permission, or none if this user is no administrator. */
function other (): { readonly uid?: number, readonly gid?: number } {
  return process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
}

/** Starts the service in an unusable data folder, and waits for its end. */
async function startInVain (t: Test, dataDir: string, user: { readonly uid?: number, readonly gid?: number } = {}): Promise<string> {
  const child = spawn('env', [...plainNode, program, 'serve'], {
    cwd: '/',
    env: { PATH: process.env['PATH'], PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir, VOUCHERIFY_WEBHOOK_SECRETS: PROCESS_SECRET, FORWARDERS: 'log', ...ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    ...user
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  t.equal(code, 1)
  t.notMatch(output, /^\s+at /m, 'the output has no stack trace')
  return output
}

t.test('a data folder whose lock or database belongs to another user ends the start with a message', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-rights-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  await (await start(t, folder)).kill('SIGTERM')
  const { uid, gid } = other()
  for (const name of ['.', 'tierhook.lock', 'tierhook.db']) if (uid !== undefined && gid !== undefined) chownSync(join(folder, name), uid, gid)
  for (const name of ['tierhook.lock', 'tierhook.db']) {
    chmodSync(join(folder, name), 0o444)
    t.match(await startInVain(t, folder, other()), new RegExp(`^tierhook: Cannot start: The data folder \\S+ cannot be written to: EACCES.*${name}'\\. Let the user that tierhook runs as write there, or set DATA_DIR to another folder\\.$`, 'm'))
    chmodSync(join(folder, name), 0o644)
  }
})

t.test('a data folder in a place where no folder can be created ends the start with a message, and does not hang', { skip: !existsSync('/proc/self') }, async (t) => {
  t.match(await startInVain(t, '/proc/x'), 'tierhook: Cannot start: The data folder /proc/x cannot be made (ENOENT): the file system there takes no folders. Set DATA_DIR to another folder.\n')
})
