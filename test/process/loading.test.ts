import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { plainNode, program } from '../support/program.js'

/** Loading modules takes most of the time of a start, so a command should load only what it needs. */

const noteLoaded = fileURLToPath(new URL('../support/note-loaded.js', import.meta.url))

/** The packages and the folders of the source among the noted modules. */
function loadedIn (path: string): ReadonlySet<string> {
  const urls = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return new Set(urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? /\/dist\/([^/]+)\//.exec(url)?.[1] ?? []))
}

function environment (path: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], NOTE_LOADED_IN: path, PORT: '0', ADMIN_PORT: '0', VOUCHERIFY_WEBHOOK_SECRETS: 'a-secret-of-this-test', FORWARDERS: 'file' }
}

function loadedBy (t: Test, args: readonly string[]): ReadonlySet<string> {
  const folder = t.testdir()
  const path = join(folder, 'loaded')
  spawnSync('env', [...plainNode, '--import', noteLoaded, program, ...args], { cwd: folder, env: environment(path) })
  return loadedIn(path)
}

function loadsNone (t: Test, loaded: ReadonlySet<string>, names: readonly string[]): void {
  t.strictSame(names.filter((name) => loaded.has(name)), [])
}

/** Packages for serving, sending, metrics and databases. */
const service = ['fastify', 'undici', 'prom-client', 'pg', '@fastify/swagger', 'uuid']

for (const args of [['--help'], ['--version'], ['help', 'send']]) {
  t.test(`tierhook ${args.join(' ')} loads only one package and the modules of the command line`, async (t) => {
    const loaded = loadedBy(t, args)
    t.ok(loaded.has('commander'))
    loadsNone(t, loaded, [...service, '@sinclair/typebox', 'pino', 'journal', 'forwarders', 'ingress', 'admin-api'])
  })
}

for (const args of [['status'], ['health'], ['deliveries'], ['events'], ['check']]) {
  t.test(`tierhook ${args.join(' ')} loads no module of the service`, async (t) => {
    const loaded = loadedBy(t, args)
    t.ok(loaded.has('@sinclair/typebox'))
    loadsNone(t, loaded, [...service, 'ingress'])
  })
}

t.test('a service without an http forwarder and a watchdog loads no HTTP client and no API description', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'loaded')
  const service = spawn('env', [...plainNode, '--import', noteLoaded, program], { cwd: folder, env: environment(path), stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { service.kill('SIGKILL') })
  let output = ''
  for await (const chunk of service.stdout) {
    output += String(chunk)
    if (output.includes('"msg":"listening"')) break
  }
  t.match(output, /"msg":"listening"/)
  const loaded = loadedIn(path)
  for (const name of ['fastify', 'ingress', 'journal', 'forwarders']) t.ok(loaded.has(name), `${name} is loaded`)
  loadsNone(t, loaded, ['undici', 'pg', '@fastify/swagger', 'cli-progress'])
})
