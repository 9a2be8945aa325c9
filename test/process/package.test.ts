import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '../..')

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly resolved?: string
}

const packageFile = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
const installed = Object.entries(lock.packages).filter(([path]) => path !== '')

/** A folder of somebody else's, with this package in its node_modules. */
function folderOfUser (dir: string): string {
  mkdirSync(join(dir, 'node_modules'))
  symlinkSync(root, join(dir, 'node_modules/tierhook'))
  return dir
}

t.test('others get the event schemas from tierhook/events, and validate with them', async (t) => {
  const dir = folderOfUser(t.testdir())
  writeFileSync(join(dir, 'use.mjs'), `
    import { catalogue, compileValidator, findEvent, sign } from 'tierhook/events'
    const faults = compileValidator(findEvent('customer.loyalty.tier.left').bodySchema)({})
    console.log(JSON.stringify({ types: catalogue.length, pointers: faults.map(({ pointer }) => pointer), signature: sign(Buffer.from('{"a":1}'), 'secretKey') }))
  `)
  t.strictSame(JSON.parse(execFileSync('node', ['use.mjs'], { cwd: dir, encoding: 'utf8' })), {
    types: 8,
    pointers: ['/customer', '/campaign', '/loyalty_tier', '/created_at'],
    signature: 'a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2'
  })
})

t.test('others get the types of the events, derived from the schemas', async (t) => {
  const dir = folderOfUser(t.testdir())
  writeFileSync(join(dir, 'use.ts'), `
    import type { EventBody } from 'tierhook/events'
    export function tierOf (event: EventBody<'customer.loyalty.tier.left'>): string | undefined { return event.loyalty_tier?.name }
    // @ts-expect-error: there is no such key
    export function wrong (event: EventBody<'customer.loyalty.tier.left'>): unknown { return event.loyalty_tier_from.id }
  `)
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: true, types: [] }, include: ['use.ts']
  }))
  t.equal(execFileSync('node', [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { encoding: 'utf8' }), '')
})

t.test('others write a forwarder against tierhook/forwarder, and test it with tierhook/testing', async (t) => {
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
  t.equal(execFileSync('node', [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { encoding: 'utf8' }), '')

  writeFileSync(join(dir, 'run.mjs'), `
    import { forwarderContext, forwarderContract } from 'tierhook/testing'
    import * as types from 'tierhook/forwarder'
    import { createForwarder } from './own.js'
    const failed = []
    for (const { title, run } of forwarderContract(() => createForwarder({}, forwarderContext()))) await run().catch(() => { failed.push(title) })
    console.log(JSON.stringify({ failed, types: Object.keys(types) }))
  `)
  t.strictSame(JSON.parse(execFileSync('node', ['run.mjs'], { cwd: dir, encoding: 'utf8' })), { failed: [], types: [] })
})

t.test('every dependency is pinned to one version', async (t) => {
  const ranges = Object.entries({ ...packageFile.dependencies, ...packageFile.devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))
  t.strictSame(ranges, [])
})

t.test('no dependency needs an install script', async (t) => {
  t.strictSame(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path), [])
})

t.test('what runs in production has a licence that lets it', async (t) => {
  const allowed = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0', 'Unlicense'])
  const others = installed.filter(([, { dev, license }]) => dev !== true && !allowed.has(license ?? 'none'))
  t.strictSame(others.map(([path, { license }]) => [path, license]), [])
})

t.test('the lock file names no registry', async (t) => {
  t.strictSame(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path), [])
})
