import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { catalogue, findEvent } from '../../src/voucherify/catalogue.js'
import { allSchemas, eventSchemas, schemaBundle } from '../../src/voucherify/json-schema.js'
import { mountedFolder } from '../support/small-disk.js'
import { createHarness } from './harness.js'

const LEFT = 'customer.loyalty.tier.left'
const left = eventSchemas(findEvent(LEFT) ?? catalogue[0])

function asJson (value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

t.test('the schema of one event is printed, bare or in its envelope, under either name', async t => {
  for (const name of [LEFT, 'EVENTS.CUSTOMER.LOYALTY.TIER.LEFT']) {
    const bare = createHarness()
    t.equal(await bare.run('schema', name), 0)
    t.strictSame(JSON.parse(bare.stdout.text), asJson(left.body.schema))
  }
  const enveloped = createHarness()
  t.equal(await enveloped.run('schema', LEFT, '--envelope'), 0)
  t.strictSame(JSON.parse(enveloped.stdout.text), asJson(left.envelope.schema))
})

t.test('without an event, all schemas are printed as one document', async t => {
  const harness = createHarness()
  t.equal(await harness.run('schema'), 0)
  t.strictSame(JSON.parse(harness.stdout.text), asJson(schemaBundle()))
})

t.test('--out writes a file for each event into a folder that it creates', async t => {
  const directory = t.testdir()
  const all = createHarness({ directory })
  t.equal(await all.run('schema', '--out', 'a/b'), 0)
  t.strictSame(readdirSync(join(directory, 'a/b')).sort(), allSchemas().map(({ name }) => `${name}.schema.json`).sort())
  for (const { name, schema } of allSchemas()) t.strictSame(JSON.parse(readFileSync(join(directory, 'a/b', `${name}.schema.json`), 'utf8')), asJson(schema))
  t.equal(all.stdout.text.split('\n').length - 1, allSchemas().length, 'the command prints each path')
  const one = createHarness({ directory })
  t.equal(await one.run('schema', LEFT, '--out', 'one'), 0)
  t.strictSame(readdirSync(join(directory, 'one')).sort(), [`${LEFT}.envelope.schema.json`, `${LEFT}.schema.json`])
  t.equal(await createHarness({ directory }).run('schema', LEFT, '--out', 'one'), 0, 'a second run overwrites the files')
})

t.test('a folder that cannot be written fails with a line that says so', async t => {
  const directory = t.testdir({ file: '' })
  const harness = createHarness({ directory })
  t.equal(await harness.run('schema', '--out', 'file'), 1)
  t.match(harness.stderr.text, /^tierhook: The schemas cannot be written to .*file \(EEXIST\): check the path/)
})

t.test('an event without a schema, and options that contradict each other, are refused', async t => {
  for (const [args, says] of [
    [['customer.loyalty.tier.lefd'], 'did you mean customer.loyalty.tier.left?'], [['redemption.succeeded'], 'not an event type that tierhook has a schema of'],
    [['vl.program.created'], 'not an event type that tierhook has a schema of'], [['--envelope'], 'needs an event type'], [[LEFT, '--envelope', '--out', 'x'], 'leave out --envelope']
  ] as const) {
    const directory = t.testdir()
    const harness = createHarness({ directory })
    t.equal(await harness.run('schema', ...args), 2, args.join(' '))
    t.match(harness.stderr.text, says)
    t.equal(harness.stdout.text, '')
    t.notOk(existsSync(join(directory, 'x')))
  }
})

t.test('a disk that fills up halfway leaves only complete schemas', async t => {
  const folder = mountedFolder(t, 'size=128k')
  if (folder === undefined) return t.comment('no right to mount: skipped')
  const { run, stderr } = createHarness({ directory: folder })
  t.equal(await run('schema', '--out', '.'), 1)
  t.match(stderr.text, /^tierhook: The schemas cannot be written to .* \(ENOSPC\)/)
  t.ok(readdirSync(folder).length > 0)
  for (const name of readdirSync(folder)) {
    t.match(name, /\.schema\.json$/)
    t.doesNotThrow(() => { JSON.parse(readFileSync(join(folder, name), 'utf8')) }, name)
  }
})
