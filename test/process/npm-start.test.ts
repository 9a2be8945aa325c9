import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PROCESS_SECRET } from '../support/service-process.js'

const project = join(import.meta.dirname, '../..')

/**
 * Runs the package's start script with npm in an otherwise empty folder: without a `.env`, and without the build, which would overwrite the program
 * that other tests run. Resolves when the service listens.
 */
async function npmStart (t: Test) {
  const { start } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).scripts
  const folder = t.testdir({ 'package.json': JSON.stringify({ name: 'started', private: true, scripts: { start } }), dist: t.fixture('symlink', join(project, 'dist')) })
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'], HOME: folder, npm_config_update_notifier: 'false', PORT: '0', ADMIN_PORT: '0', DATA_DIR: join(folder, 'data'), VOUCHERIFY_WEBHOOK_SECRETS: PROCESS_SECRET
    },
    // A separate process group, as on a terminal.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const { pid } = child
  if (pid === undefined) throw new Error('npm cannot be started')
  const groupHas = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }
  t.teardown(() => { groupHas('SIGKILL') })
  let output = ''
  const closed = once(child, 'close')
  // A process that npm leaves behind keeps the output open.
  const ended = once(child, 'exit').then(async ([code]) => {
    if (!groupHas(0)) await closed
    return code as number | null
  })
  await new Promise<void>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      output += chunk.toString()
      if (output.includes('"msg":"listening"')) resolve()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    ended.then((code) => { reject(new Error(`it ended with ${code}: ${output}`)) }, reject)
  })
  return { child, groupHas, ended, output: () => output }
}

t.test('SIGTERM to npm start stops the service properly', async (t) => {
  const { child, groupHas, ended, output } = await npmStart(t)
  child.kill('SIGTERM')
  t.equal(await ended, 0)
  t.match(output(), /"signal":"SIGTERM","msg":"stopped"/)
  t.notOk(groupHas(0), 'no process is left')
})

t.test('Ctrl-C on npm start stops the service properly, although the signal comes from the terminal and from npm', async (t) => {
  const { groupHas, ended, output } = await npmStart(t)
  groupHas('SIGINT')
  await ended
  t.match(output(), /"signal":"SIGINT","msg":"stopped"/)
  t.notOk(groupHas(0), 'no process is left')
})
