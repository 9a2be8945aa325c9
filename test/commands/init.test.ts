import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadSettings } from '../../src/config/load-settings.js'
import { mountedFolder } from '../support/small-disk.js'
import { createHarness } from './harness.js'

const load = (directory: string, name = '.env') => loadSettings({ environment: {}, envFile: { path: name, text: readFileSync(join(directory, name), 'utf8') } })

t.test('the answers are written to a file that only the owner can read, and the URLs to paste are shown', async t => {
  const directory = t.testdir()
  const questions: string[] = []
  const answers = ['ftp://wrong', 'https://hooks.example.com', 'a secret', 'key#1', 'file, http', '', 'https://shop.example/hook?a=1']
  const harness = createHarness({ directory, ask: async (question) => { questions.push(question); return answers.shift() } })
  t.equal(await harness.run('init'), 0, harness.stderr.text)
  t.match(load(directory), { PUBLIC_URL: 'https://hooks.example.com', VOUCHERIFY_WEBHOOK_SECRETS: ['key#1'], FORWARDERS: ['file', 'http'], HTTP_FORWARDER_URL: 'https://shop.example/hook?a=1', PORT: 3000 })
  t.equal(statSync(join(directory, '.env')).mode & 0o777, 0o600)
  t.equal(questions.length, 7)
  t.match(harness.stderr.text, /^It .*http.*\n.*white space inside the secret/)
  t.match(harness.stdout.text, /\n {2}https:\/\/hooks\.example\.com\/webhooks\n/)
  t.match(harness.stdout.text, /\n {2}customer\.loyalty\.tier\.upgraded {4}https:\/\/hooks\.example\.com\/webhooks\/customer\.loyalty\.tier\.upgraded\n/)
  t.notMatch(harness.stdout.text + harness.stderr.text, 'key#1')
})

t.test('options replace the questions, and a fault in one writes nothing', async t => {
  const directory = t.testdir({ key: 'the-key\n' })
  const refused = createHarness({ directory })
  t.equal(await refused.run('init', '--yes', '--forwarders', 'http'), 2)
  t.match(refused.stderr.text, 'HTTP_FORWARDER_URL')
  t.equal(await createHarness({ directory }).run('init', '--yes', '--public-url', 'nowhere'), 2)
  const alone = createHarness({ directory, ask: async () => undefined })
  t.equal(await alone.run('init'), 2)
  t.match(alone.stderr.text, 'give --yes')
  t.notOk(existsSync(join(directory, '.env')))
  const harness = createHarness({ directory })
  t.equal(await harness.run('init', '--yes', '--out', 'my.env', '--port', '4000', '--secret-file', 'key', '--forwarders', 'log,http', '--http-url', 'https://shop.example/x'), 0, harness.stderr.text)
  t.match(load(directory, 'my.env'), { PORT: 4000, VOUCHERIFY_WEBHOOK_SECRETS: ['the-key'], FORWARDERS: ['log', 'http'] })
  t.match(harness.stdout.text, 'https://<your host>/webhooks/customer.loyalty.tier.joined')
  for (const command of ['check --connect', 'serve', 'send customer.loyalty.tier.upgraded']) t.match(harness.stdout.text, `npx tierhook ${command} --env-file my.env`)
  const empty = createHarness({ directory })
  t.equal(await empty.run('init', '--yes'), 0)
  t.match(empty.stdout.text, 'serve, unsigned')
})

t.test('an existing file is never replaced, and a link is not followed', async t => {
  const directory = t.testdir({ '.env': 'PORT=1\n', key: 'it\'s "a` key' })
  const harness = createHarness({ directory })
  t.equal(await harness.run('init', '--yes'), 1)
  t.match(harness.stderr.text, '.env is there already, and is left as it is')
  t.equal(readFileSync(join(directory, '.env'), 'utf8'), 'PORT=1\n')
  symlinkSync('elsewhere', join(directory, 'link'))
  t.equal(await createHarness({ directory }).run('init', '--yes', '--out', 'link'), 1)
  t.notOk(existsSync(join(directory, 'elsewhere')))
  const nowhere = createHarness({ directory })
  t.equal(await nowhere.run('init', '--yes', '--out', 'gone/.env'), 2)
  t.match(nowhere.stderr.text, 'cannot be written (ENOENT)')
  writeFileSync(join(directory, 'key'), 'it\'s"a`key')
  const marks = createHarness({ directory })
  t.equal(await marks.run('init', '--yes', '--out', 'new', '--secret-file', 'key'), 2)
  t.match(marks.stderr.text, 'all of the quotation marks')
})

t.test('a full disk leaves no empty file, and the next run succeeds', async t => {
  const directory = mountedFolder(t, 'size=64k')
  if (directory === undefined) return t.comment('no right to mount: skipped')
  try {
    writeFileSync(join(directory, 'filler'), Buffer.alloc(65_536))
  } catch {
    // The disk is full, as intended.
  }
  const full = createHarness({ directory })
  t.equal(await full.run('init', '--yes'), 2)
  t.match(full.stderr.text, 'cannot be written (ENOSPC)')
  t.notOk(existsSync(join(directory, '.env')))
  rmSync(join(directory, 'filler'))
  t.equal(await createHarness({ directory }).run('init', '--yes'), 0)
})
