import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { explainNoStart, isTooOld } from '../../src/commands/explain-no-start.js'
import { plainNode, program } from '../support/program.js'

interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

/** Runs a shell command line to its end. `$tierhook` is the built program. */
async function run (commands: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile('sh', ['-c', commands], { env: { PATH: process.env['PATH'], node: plainNode.join(' '), tierhook: program, PORT: '0', ADMIN_PORT: '0', ...env }, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr })
    })
  })
}

const oneLine = (text: string): boolean => /^tierhook: [^\n]+\n$/.test(text)

t.test('if Node.js may not generate code, each command that needs it says so', async (t) => {
  for (const command of ['serve', 'health']) {
    const { code, stdout, stderr } = await run(`exec env $node --disallow-code-generation-from-strings $tierhook ${command}`)
    t.match({ code, stdout }, { code: 1, stdout: '' })
    t.ok(oneLine(stderr), stderr)
    t.match(stderr, /--disallow-code-generation-from-strings.*Start it without/)
  }
})

t.test('a missing working directory is named', async (t) => {
  for (const command of ['--help', 'serve']) {
    const folder = t.testdir({})
    const { code, stderr } = await run(`cd ${folder} && rmdir ${folder} && exec env $node $tierhook ${command}`)
    t.equal(code, 1)
    t.ok(oneLine(stderr), stderr)
    t.match(stderr, /working directory is gone/)
  }
})

t.test('a missing package is named', async (t) => {
  // Not inside the project, because Node.js would find its packages.
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  cpSync(dirname(program), join(folder, 'dist'), { recursive: true })
  cpSync(join(dirname(program), '../package.json'), join(folder, 'package.json'))
  const { code, stderr } = await run(`exec env $node ${folder}/dist/main.js --version`)
  t.equal(code, 1)
  t.ok(oneLine(stderr), stderr)
  t.match(stderr, /installation is missing: \S+\. .*npm ci/)
})

t.test('native code that cannot be loaded is reported, with what to do', { skip: process.versions.sqlite === undefined ? false : 'this Node.js brings SQLite' }, async (t) => {
  const { code, stderr } = await run('exec env $node --no-addons $tierhook serve', { DATA_DIR: t.testdir({}) })
  t.equal(code, 1)
  t.match(stderr, /tierhook: Cannot load SQLite: [^\n]*--no-addons/)
})

t.test('a Node.js that is too old is refused', async (t) => {
  for (const version of ['12.22.0', '18.20.4', '20.17.9']) t.ok(isTooOld(version), version)
  for (const version of ['20.18.0', '20.20.0', '22.0.0', '24.1.0', '100.0.0']) t.notOk(isTooOld(version), version)
})

t.test('an internal error keeps its stack', async (t) => {
  t.equal(explainNoStart(new TypeError('x is undefined')), undefined)
  t.equal(explainNoStart('text'), undefined)
  t.match(explainNoStart(Object.assign(new Error('FileSystemRead'), { code: 'ERR_ACCESS_DENIED' })), /--permission/)
})

t.test('the version and the help load only the command line, so that they appear at once', async (t) => {
  for (const option of ['--version', '--help', 'completion bash']) {
    const { code, stderr } = await run(`NODE_DEBUG=esm exec env $node $tierhook ${option}`)
    t.equal(code, 0)
    const loaded = new Set([...stderr.matchAll(/\/(dist|node_modules)\/([@\w-]+\/[\w-]+)[^' ]*\.m?js/g)].map(([, folder, path = '']) => folder === 'dist' ? `dist/${path.split('/')[0] ?? ''}` : path.split('/')[0] ?? ''))
    for (const heavy of ['@sinclair', 'fastify', 'undici', 'pino', 'prom-client', 'ajv-formats', 'dist/journal', 'dist/ingress']) t.notOk(loaded.has(heavy), `${option} does not load ${heavy}`)
    t.ok(loaded.has('commander'), 'the test can see what is loaded')
  }
})
