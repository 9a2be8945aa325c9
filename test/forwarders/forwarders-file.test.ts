import { readFileSync } from 'node:fs'
import t from 'tap'
import { defaultValues, httpOptions } from '../../src/config/forwarder-options.js'
import { readForwarderNames, readForwardersFile } from '../../src/forwarders/forwarders-file.js'
import type { ForwarderDefaults, ForwarderSpec } from '../../src/forwarders/forwarder-spec.js'

const defaults: ForwarderDefaults = {
  log: { withData: false },
  file: { rotateBytes: 7, keepDays: 8 },
  http: { ...defaultValues(httpOptions), concurrency: 9, timeoutMs: 10 }
}
const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`

function read (content: unknown, variables: Record<string, string> = {}): ReturnType<typeof readForwardersFile> {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
  return readForwardersFile({ bytes, folder: '/etc/tierhook', variables, defaults })
}

function specs (content: unknown, variables?: Record<string, string>): readonly ForwarderSpec[] {
  const result = read(content, variables)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.specs
}

function faults (content: unknown, variables?: Record<string, string>): readonly string[] {
  const result = read(content, variables)
  return result.ok ? [] : result.faults.map(({ pointer, message }) => `${pointer} ${message}`)
}

const log = { name: 'log', type: 'log' }
const http = { name: 'crm', type: 'http', url: 'https://crm.example/hook' }

t.test('keys that the file leaves out have the defaults of the settings', (t) => {
  t.strictSame(specs([log, { name: 'f', type: 'file', path: 'a' }, http, { name: 'own', type: './own.js' }]), [
    { kind: 'log', spec: { withData: false, name: 'log', type: 'log' } },
    { kind: 'file', spec: { rotateBytes: 7, keepDays: 8, name: 'f', type: 'file', path: 'a' } },
    { kind: 'http', spec: { ...defaults.http, ...http } },
    { kind: 'module', spec: { name: 'own', type: './own.js' } }
  ])
  t.end()
})

t.test('every option can be set in the file', (t) => {
  const common = {
    events: ['customer.*'],
    verdicts: ['valid', 'invalid', 'unvalidated'],
    where: [{ pointer: '', exists: true }, { pointer: '/a~1b/0', equals: null, in: ['a', 1, false], gte: 1, lte: 2.5 }],
    start: 'beginning'
  }
  const all = [
    { ...common, ...log, withData: true },
    { ...common, name: 'f', type: 'file', path: '/a', rotateBytes: 0, keepDays: 0 },
    {
      ...common,
      ...http,
      format: 'cloudevents-binary',
      order: 'none',
      concurrency: 1,
      timeoutMs: 1,
      secrets: [secret],
      headers: { Authorization: 'Bearer x' },
      permanentStatus: [404, 410]
    },
    { ...common, name: 'own', type: 'a-package', order: 'arrival', concurrency: 1, timeoutMs: 3, options: { any: { thing: [1] } } }
  ]
  t.strictSame(specs(all).map(({ spec }) => spec), all)
  t.end()
})

t.test('secrets come from variables, except in the name, which commands read without them', (t) => {
  /* eslint-disable no-template-curly-in-string */
  const item = { ...http, secrets: ['${S}'], headers: { authorization: 'Bearer ${T}' } }
  t.match(specs([item], { S: secret, T: 'hunter2' })[0]?.spec, { secrets: [secret], headers: { authorization: 'Bearer hunter2' } })
  t.strictSame(faults([item]), [
    '/0/secrets/0 needs the variable S, which is not set or empty',
    '/0/headers/authorization needs the variable T, which is not set or empty'
  ])
  t.match(faults([{ ...log, name: '${S}' }], { S: 'a' }), [/^\/0\/name must be 1 to 64 letters/])
  /* eslint-enable no-template-curly-in-string */
  t.end()
})

t.test('a file that is not a list of forwarders is reported as such', (t) => {
  for (const [text, fault] of [
    ['', ' is empty'], ['[', / is not JSON/], ['\u0000', / is not JSON/], ['{}', ' must be a list of at least one forwarder'],
    ['[]', ' must be a list of at least one forwarder'], ['[{"__proto__":1}]', ' has a key called __proto__']
  ] as const) t.match(faults(text), [fault])
  t.strictSame(faults([1, null]), ['/0 must be an object', '/1 must be an object'])
  t.match(readForwardersFile({ bytes: Buffer.from([0xFF]), folder: '/', variables: {}, defaults }), { faults: [{ pointer: '', message: 'is not UTF-8' }] })
  t.end()
})

t.test('all faults are reported at once, with their places', (t) => {
  t.strictSame(faults([
    { name: '-', type: 'log', order: 'none', where: [{ pointer: 'campaign', equal: 1 }], verdicts: ['good'], start: 'later' },
    { type: 'file', rotateBytes: -1 },
    { ...http, url: 'ftp://x', order: 'arrival', concurrency: 0, headers: { a: 1 }, secrets: 'x' },
    { name: 'own', type: './own.js', path: 'a' },
    { name: 'log' }
  ]), [
    '/0/order is not known',
    '/0/name must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
    '/0/verdicts/0 must be one of valid, invalid, unvalidated',
    '/0/where/0/equal is not known',
    '/0/where/0/pointer must be a JSON pointer, such as /campaign/id',
    '/0/start must be one of now, beginning',
    '/1/name must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
    '/1/path is required',
    '/1/rotateBytes must be >= 0',
    '/2/concurrency must be >= 1',
    '/2/order must be one of customer, none',
    '/2/secrets must be an array',
    '/2/headers/a must be a string',
    '/2/url must be an http:// or https:// URL without a user name or password',
    '/3/path is not known',
    '/4/type is required'
  ])
  t.end()
})

t.test('order of arrival with a concurrency above one is a fault', (t) => {
  const own = { name: 'crm', type: './crm.js', order: 'arrival' }
  t.strictSame(faults([log, { ...own, concurrency: 4 }]), [
    '/1/concurrency of the forwarder crm must be 1 where order is arrival, and is 4: one after another means one at a time. Make it 1, or set order to customer or none'
  ])
  t.match(specs([{ ...own, concurrency: 1 }, { ...own, name: 'other' }, { ...own, name: 'lanes', order: 'customer', concurrency: 4 }]), { length: 3 })
  t.end()
})

t.test('two forwarders may not share a name or a file', (t) => {
  t.strictSame(faults([log, { ...log, type: './own.js' }]), ['/1/name is the name of another forwarder; each keeps its progress under its own'])
  const file = (name: string, path: string) => ({ name, type: 'file', path })
  t.strictSame(faults([file('a', 'x/../y'), file('b', '/etc/tierhook/y'), file('c', 'z')]), ['/1/path is the file of another forwarder; each needs its own'])
  t.end()
})

t.test('a condition needs at least one comparison', (t) => {
  t.strictSame(faults([{ ...log, where: [{ pointer: '/a' }, {}, 1] }]), [
    '/0/where/1/pointer must be a JSON pointer, such as /campaign/id', '/0/where/2 must be an object',
    '/0/where/0 must have at least one of equals, in, exists, gte and lte', '/0/where/1 must have at least one of equals, in, exists, gte and lte'
  ])
  t.end()
})

t.test('a type that resembles a built-in one is taken for a typing error', (t) => {
  t.strictSame(faults([{ ...http, type: 'htpp' }, { name: 'f', type: 'File', path: 'a' }]), [
    '/0/type is not a built-in kind; did you mean http?', '/1/type is not a built-in kind; did you mean file?'
  ])
  for (const type of ['kafka', '@me/http', './log', 'pg-log']) t.strictSame(faults([{ name: 'a', type }]), [], type)
  t.end()
})

t.test('values that the http forwarder cannot send, or that would be shown, are refused without being shown', (t) => {
  const wrong = {
    ...http,
    url: 'https://user:hunter2@crm.example/',
    headers: { 'Webhook-Id': 'hunter2', 'a b': 'hunter2', 'x/y': 'hunter2', 'x-a': 'hunter2\n', 'X-A': 'hunter2', empty: ' ', ok: 'a b' },
    secrets: ['hunter2', secret, 1]
  }
  const told = faults([wrong])
  t.match(told, [
    '/0/secrets/2 must be a string',
    '/0/url must be an http:// or https:// URL without a user name or password',
    /^\/0\/headers\/Webhook-Id is sent by the http forwarder itself/,
    '/0/headers/a b is not the name of a header',
    '/0/headers/x~1y is not the name of a header',
    '/0/headers/x-a is not a value that a header can carry',
    /^\/0\/headers\/X-A is there twice/,
    '/0/headers/empty is not a value that a header can carry',
    /^\/0\/secrets\/0 is not a signing secret: .*whsec_/
  ])
  t.notMatch(told.join(), 'hunter2')
  for (const url of ['crm.example', 'https://', '/hook', 'ftp://crm.example']) t.match(faults([{ ...http, url }]), [/^\/0\/url must be/], url)
  t.end()
})

t.test('names are read without the variables, as far as the file has valid ones', (t) => {
  const names = (text: string) => readForwarderNames(Buffer.from(text))
  t.strictSame(names('[{"name":"a","url":"${GONE}"},{"name":1},{},2,{"name":"b"}]'), { ok: true, names: ['a', 'b'] }) // eslint-disable-line no-template-curly-in-string
  t.match(names('{}'), { ok: false, faults: [{ pointer: '' }] })
  t.end()
})

t.test('the example file is valid', (t) => {
  const bytes = readFileSync(new URL('../../examples/forwarders.json', import.meta.url))
  const result = readForwardersFile({ bytes, folder: '/', variables: { CRM_TOKEN: 'x', CRM_SIGNING_SECRET: secret }, defaults })
  t.match(result, { ok: true, specs: [{ kind: 'log' }, { kind: 'file' }, { kind: 'http' }, { kind: 'http' }, { kind: 'module' }] })
  t.end()
})
