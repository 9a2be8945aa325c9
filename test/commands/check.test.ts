import { chmodSync, chownSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { asking, fakeManagementApi, fakeWebhook, MANAGEMENT_ID, MANAGEMENT_TOKEN, PROJECT_ID } from '../support/fake-management-api.js'
import { freePort } from '../forwarders/http/support/servers.js'
import { createHarness, startServer } from './harness.js'

const secret = `whsec_${Buffer.alloc(24, 9).toString('base64')}`

t.test('check shows what would run, without secrets, and creates nothing', async (t) => {
  const directory = t.testdir()
  const harness = createHarness({
    directory,
    environment: {
      FORWARDERS: 'log,file,http',
      HTTP_FORWARDER_URL: 'https://crm.example/hunter2',
      HTTP_FORWARDER_HEADERS: 'Authorization: hunter2',
      HTTP_FORWARDER_SECRETS: secret,
      VOUCHERIFY_WEBHOOK_SECRETS: 'hunter2,hunter3',
      REQUIRED_HEADERS: 'X-Key: hunter2',
      ALLOWED_SOURCES: 'eu1'
    }
  })
  t.equal(await harness.run('check'), 0)
  for (const text of [
    `Listens at 127.0.0.1:3000, keeps its data in ${join(directory, 'data')}\n`,
    'Requires of a webhook: a signature by 2 secrets, the header x-key, the sources eu1 (monitor)\n',
    'Forwarders, from FORWARDERS:\n',
    'log (log), to stdout\n  takes everything, from now on; order: arrival; 1 at once\n  withData: false\n',
    `file (file), to ${join(directory, 'data/events.ndjson')}\n`,
    'http (http), to https://crm.example/…\n  takes everything, from now on; order: customer; 16 at once\n  format: voucherify; secrets: 1; headers: authorization; permanentStatus: 410\n'
  ]) t.match(harness.stdout.text, text)
  t.notMatch(harness.stdout.text + harness.stderr.text, /hunter|whsec/)
  t.notOk(existsSync(join(directory, 'data')))
})

t.test('a forwarders file is read with the variables that it uses, also from the .env file', async (t) => {
  const directory = t.testdir({
    '.env': 'FORWARDERS_FILE=conf/forwarders.json\nCRM_TOKEN=hunter2\n',
    conf: {
      'forwarders.json': JSON.stringify([
        { name: 'crm', type: 'http', url: 'https://crm.example', headers: { authorization: '${CRM_TOKEN}' }, start: 'beginning', events: ['customer.*'], verdicts: ['valid'], where: [{ pointer: '/a', equals: 1 }] }, // eslint-disable-line no-template-curly-in-string
        { name: 'own', type: './own.mjs', options: { key: 'hunter2' } }
      ]),
      'own.mjs': 'export const createForwarder = (options, { logger }) => { logger.error("hunter2"); return { forward: async () => {} } }'
    }
  })
  const harness = createHarness({ directory })
  t.equal(await harness.run('check'), 0)
  t.match(harness.stdout.text, `Forwarders, from ${join(directory, 'conf/forwarders.json')}:\n`)
  t.match(harness.stdout.text, 'takes customer.* and valid and events that match [{"pointer":"/a","equals":1}], from the beginning of the journal; order: customer')
  t.match(harness.stdout.text, 'own (./own.mjs), to ./own.mjs\n  takes everything, from now on; order: none; 1 at once\n  names: key\n')
  t.match(harness.stdout.text, 'Requires of a webhook: nothing\n')
  t.match(harness.stderr.text, /^warning: VOUCHERIFY_WEBHOOK_SECRETS is not set/)
  t.notMatch(harness.stdout.text + harness.stderr.text + harness.log.text, 'hunter2')

  const json = createHarness({ directory })
  t.equal(await json.run('check', '--json'), 0)
  t.match(JSON.parse(json.stdout.text), {
    host: '127.0.0.1',
    port: 3000,
    dataDir: join(directory, 'data'),
    authentication: { length: 0 },
    forwardersFile: join(directory, 'conf/forwarders.json'),
    forwarders: [{ name: 'crm', type: 'http', destination: 'https://crm.example/', events: ['customer.*'], options: { headers: ['authorization'] } }, { name: 'own' }],
    warnings: [{ variable: 'VOUCHERIFY_WEBHOOK_SECRETS' }]
  })
  t.notMatch(json.stdout.text, 'hunter2')
})

t.test('the example forwarders file passes, and so does the container\'s', async (t) => {
  const project = join(import.meta.dirname, '../..')
  for (const [FORWARDERS_FILE, names] of [
    [join(project, 'examples/forwarders.json'), ['log', 'archive', 'crm', 'gold-gifts', 'table']],
    [join(project, 'docker/forwarders/forwarders.json'), ['log', 'file']]
  ] as const) {
    const harness = createHarness({ directory: t.testdir(), environment: { FORWARDERS_FILE, CRM_TOKEN: 'hunter2', CRM_SIGNING_SECRET: secret } })
    t.equal(await harness.run('check', '--json'), 0, harness.stderr.text)
    t.strictSame(JSON.parse(harness.stdout.text).forwarders.map(({ name }: { name: string }) => name), names)
  }
})

t.test('a data folder that other users control is a fault in check and at a start, and files that they could change are a warning', async (t) => {
  const directory = t.testdir({ data: {} })
  // No other user controls a folder of root's.
  if (process.getuid?.() === 0) chownSync(join(directory, 'data'), 4001, 4001)
  chmodSync(join(directory, 'data'), 0o777)
  for (const command of ['check', 'serve']) {
    const harness = createHarness({ directory, user: { uid: 4002, groups: [] } })
    t.equal(await harness.run(command), 2)
    t.match(harness.stderr.text, /^tierhook: The configuration has a fault:\n {2}DATA_DIR: is .*, which belongs to another user/)
  }
  const { stderr, run } = createHarness({ directory, user: { uid: 0, groups: [] } })
  t.equal(await run('check'), 0)
  t.match(stderr.text, /^warning: DATA_DIR is .*, which everybody on this machine can write to \(mode 0777\)/m)
})

t.test('every fault is shown, and the exit code is that of a wrong configuration', async (t) => {
  const directory = t.testdir({
    'wrong.json': '[{"name":"a","type":"http","url":"ftp://hunter2","concurrency":0},{"type":"log"}]',
    'loads.json': '[{"name":"a","type":"./gone.mjs"},{"name":"b","type":"./none.mjs"}]',
    'none.mjs': ''
  })
  const run = async (environment: Record<string, string>, ...args: string[]) => {
    const harness = createHarness({ directory, environment })
    t.equal(await harness.run('check', ...args), 2)
    return harness
  }
  const wrong = join(directory, 'wrong.json')
  t.equal((await run({ FORWARDERS_FILE: 'wrong.json' })).stderr.text, `tierhook: The configuration has 3 faults:
  ${wrong} /0/concurrency: must be >= 1
  ${wrong} /0/url: must be an http:// or https:// URL without a user name or password
  ${wrong} /1/name: must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit
`)
  t.match(JSON.parse((await run({ FORWARDERS_FILE: 'loads.json' }, '--json')).stdout.text), {
    faults: [{ variable: 'forwarder a', message: /cannot be loaded/ }, { variable: 'forwarder b', message: /must export a function/ }]
  })
  t.match((await run({ FORWARDERS_FILE: 'gone.json' })).stderr.text, `FORWARDERS_FILE: ${join(directory, 'gone.json')} cannot be read (ENOENT); check its path and its permissions`)
  t.match((await run({ FORWARDERS_FILE: 'none.mjs' })).stderr.text, `${join(directory, 'none.mjs')}: is empty`)
  t.match((await run({ PORT: 'x' }, '--json')).stdout.text, /^\{"faults":\[\{"variable":"PORT"/)
  t.match((await run({ FORWARDERS: 'http', HTTP_FORWARDER_URL: 'http://x/', HTTP_FORWARDER_HEADERS: 'Host: x' })).stderr.text, 'HTTP_FORWARDER_HEADERS: names host')
})

t.test('destinations are tried, and the exit code is that of a failure if one cannot be reached', async (t) => {
  const { url, requests } = await startServer(t, (_request, response) => { response.end() })
  const nobody = `http://127.0.0.1:${await freePort()}/`
  const directory = t.testdir({
    'own.mjs': `
      export const createForwarder = ({ check }) => ({
        forward: async () => {},
        ...check === undefined ? {} : { check: check === 'hangs' ? () => new Promise(() => {}) : async () => { throw check } }
      })`,
    'good.json': JSON.stringify([{ name: 'log', type: 'log' }, { name: 'file', type: 'file', path: 'sub/a' }, { name: 'http', type: 'http', url }]),
    'bad.json': JSON.stringify([
      { name: 'http', type: 'http', url },
      { name: 'gone', type: 'http', url: nobody },
      { name: 'text', type: './own.mjs', options: { check: 'a\u0007text' } },
      { name: 'hangs', type: './own.mjs', options: { check: 'hangs' } },
      { name: 'cannot', type: './own.mjs' }
    ])
  })
  const good = createHarness({ directory, environment: { FORWARDERS_FILE: 'good.json' } })
  t.equal(await good.run('check', '--connect'), 0)
  t.strictSame(good.stdout.text.match(/connection: .*/g), ['connection: cannot be tried', 'connection: ok', 'connection: ok'])
  t.notOk(existsSync(join(directory, 'sub')))
  t.strictSame(requests, [])

  const bad = createHarness({ directory, environment: { FORWARDERS_FILE: 'bad.json' } })
  t.equal(await bad.run('check', '--connect', '--timeout-ms', '500'), 1)
  t.match(bad.stdout.text.match(/connection: .*/g), [
    'connection: ok', /^connection: failed: connect ECONNREFUSED 127\.0\.0\.1:\d+$/, 'connection: failed: a\\u0007text',
    'connection: failed: there was no connection within 500 ms', 'connection: cannot be tried'
  ])
  const json = createHarness({ directory, environment: { FORWARDERS_FILE: 'bad.json' } })
  t.equal(await json.run('check', '--connect', '--json', '--timeout-ms', '500'), 1)
  t.match(JSON.parse(json.stdout.text).forwarders.map(({ connection }: { connection: unknown }) => connection), [
    { status: 'ok' }, { status: 'failed', reason: /ECONNREFUSED/ }, { status: 'failed' }, { status: 'failed' }, { status: 'unknown' }
  ])
})

t.test('check shows for each destination whether its connection is direct or through a proxy, without the proxy\'s password', async (t) => {
  const directory = t.testdir({
    'forwarders.json': JSON.stringify([
      { name: 'crm', type: 'http', url: 'https://crm.example/hunter2' },
      { name: 'inside', type: 'http', url: 'https://10.1.2.3/' },
      { name: 'plain', type: 'http', url: 'http://crm.example/' },
      { name: 'log', type: 'log' }
    ])
  })
  const environment = { FORWARDERS_FILE: 'forwarders.json', HTTPS_PROXY: 'http://user:hunter2@proxy.example:3128', NO_PROXY: '10.0.0.0/8' }
  const harness = createHarness({ directory, environment })
  t.equal(await harness.run('check'), 0)
  t.strictSame(harness.stdout.text.match(/connects .*/g), ['connects through the proxy http://proxy.example:3128 (HTTPS_PROXY)', 'connects directly', 'connects directly'])
  t.notMatch(harness.stdout.text + harness.stderr.text, 'hunter2')

  const json = createHarness({ directory, environment })
  t.equal(await json.run('check', '--json'), 0)
  t.strictSame(JSON.parse(json.stdout.text).forwarders.map(({ route }: { route?: string }) => route), ['through the proxy http://proxy.example:3128 (HTTPS_PROXY)', 'directly', 'directly', undefined])
})

t.test('an entry of NO_PROXY that cannot be understood is a fault and is not ignored', async (t) => {
  const environment = { FORWARDERS: 'http', HTTP_FORWARDER_URL: 'http://127.0.0.1/', HTTP_PROXY: 'proxy.example:3128', NO_PROXY: 'localhost,127.*' }
  const harness = createHarness({ directory: t.testdir(), environment })
  t.equal(await harness.run('check'), 2)
  t.match(harness.stderr.text, 'forwarder http: NO_PROXY cannot be understood: "127.*" is not allowed: use a name')
})

t.test('relative paths in settings start in the working directory of the command', async (t) => {
  const directory = t.testdir()
  const harness = createHarness({ directory, environment: { FORWARDERS: 'file', FILE_FORWARDER_PATH: 'x/events.ndjson' } })
  t.equal(await harness.run('check'), 0)
  t.match(harness.stdout.text, join(directory, 'x/events.ndjson'))
})

t.test('Voucherify is asked once, and its answer is explained', async (t) => {
  const api = await fakeManagementApi(t)
  const run = async (environment: Record<string, string>, ...args: string[]) => {
    const harness = createHarness({ directory: t.testdir(), environment: { VOUCHERIFY_WEBHOOK_SECRETS: 'the-secret-of-the-tests', ...environment } })
    return { code: await harness.run('check', '--voucherify', ...args), out: harness.stdout.text, err: harness.stderr.text }
  }
  const well = await run(asking(api))
  t.equal(well.code, 0)
  t.match(well.out, `Voucherify, project ${PROJECT_ID}, asked at ${api.url}:\n  webhook: ok. A webhook points here: wh_1 (https://hooks.example.com/webhooks).\n  active: ok.`)
  t.match(well.out, /not checked: .*Distributions/)
  t.equal(api.requests.length, 2)

  api.webhooks.splice(0, 1, fakeWebhook('wh_1', { active: false, events: ['campaign.loyalty_tier.created'] }))
  const wrong = await run({ ...asking(api), VOUCHERIFY_REENABLE: 'true' })
  t.equal(wrong.code, 1)
  t.match(wrong.out, /active: wrong\. Switched off: wh_1.*\n.*events: wrong\. Not ticked: campaign\.loyalty_tier\.updated, campaign\.loyalty_tier\.deleted\./)
  t.notOk(api.requests.some(({ method }) => method !== 'GET'), 'check sends only GET requests')

  const json = await run(asking(api), '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.out).voucherify, { projectId: PROJECT_ID, findings: [{ check: 'webhook', state: 'ok' }, { check: 'active', state: 'wrong' }], failures: { length: 0 } })

  api.mood = 'refusing'
  const refused = await run(asking(api))
  t.equal(refused.code, 1)
  t.match(refused.out, '  not answered: Voucherify answered 401. Check VOUCHERIFY_MANAGEMENT_ID and VOUCHERIFY_MANAGEMENT_TOKEN. The Management API is part of its Enterprise plan alone.\n')
  api.mood = 'hanging'
  const hanging = await run(asking(api), '--timeout-ms', '200')
  t.equal(hanging.code, 1)
  t.match(hanging.out, 'not answered: Voucherify cannot be reached: There was no whole answer within 200 ms')

  const off = await run({})
  t.equal(off.code, 2)
  t.match(off.err, '--voucherify needs VOUCHERIFY_MANAGEMENT_ID')
  for (const { out, err } of [well, wrong, json, refused, hanging]) for (const secret of [MANAGEMENT_ID, MANAGEMENT_TOKEN, 'the-secret-of-the-tests']) t.notMatch(out + err, secret)
})
