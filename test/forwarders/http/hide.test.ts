import t from 'tap'
import { createHide } from '../../../src/forwarders/http/hide.js'
import { sentSecrets } from '../../../src/forwarders/http/sent-secrets.js'

const url = 'https://crm.example/hooks/T0-hunter%202/caf%C3%A9?key=s3cr3t%2Fvalue&bare&n=7'
const hide = createHide(sentSecrets({ url, headers: [{ name: 'authorization', value: `Basic ${Buffer.from('me:my-pass-phrase').toString('base64')}` }], route: { via: 'direct' } }))
const whole = { whole: true }

t.test('a text without secrets is unchanged', async (t) => {
  for (const text of ['', 'nothing here', '100 % sure &amp; \\"so\\"', '%', '%e', '\\u12', '&#99999999;', '%ff%c3', 'a17b']) t.equal(hide(text, whole), text)
  t.equal(createHide([])('anything %41', whole), 'anything %41')
})

t.test('each part of an address is hidden, in any spelling', async (t) => {
  for (const spelling of [
    'T0-hunter%202', 'T0-hunter 2', 't0-HUNTER 2', 'T0-hunter+2', 'T0%2Dhunter%202', '%54%30-hunter%202', 'T0-hunter%25202', 'T0%252Dhunter%2525202',
    'T0-hunter\\u00202', '\\u0054\\u0030-hunter 2', 'T0-hunter&#32;2', 'T0&#x2D;hunter&#x20;2', '\\x540-hunter 2',
    'café', 'caf%C3%A9', 'caf%c3%a9', 'CAFÉ', 'caf\\u00e9', 'caf&#233;',
    's3cr3t%2Fvalue', 's3cr3t/value', 's3cr3t\\/value', 's3cr3t&#x2F;value', 's3cr3t&sol;value', 's3cr3t%252Fvalue', 's3cr3t\\u002fvalue',
    'hooks', 'key', 'bare', '7', 'my-pass-phrase', 'me:my-pass-phrase', Buffer.from('me:my-pass-phrase').toString('base64')
  ]) t.equal(hide(`<${spelling}>`, whole), '<[hidden]>', spelling)
})

t.test('the whole path, the whole query, and both together are hidden without a trace between them', async (t) => {
  for (const echoed of [
    '/hooks/T0-hunter%202/caf%C3%A9?key=s3cr3t%2Fvalue&bare&n=7', '/hooks/T0-hunter 2/café', 'key=s3cr3t%2Fvalue&bare&n=7', 'key=s3cr3t%2Fvalue&amp;bare&amp;n=7'
  ]) t.equal(hide(`Cannot POST ${echoed}`, whole), 'Cannot POST [hidden]', echoed)
  t.notMatch(hide(`POST ${encodeURIComponent(url)} failed`, whole), /hunter|s3cr3t|caf|bare/)
  t.notMatch(hide(JSON.stringify({ url, path: JSON.stringify(url) }), whole), /hunter|s3cr3t|caf|bare/)
})

t.test('a short part is hidden as a word of its own, and not inside another word', async (t) => {
  t.equal(hide('7 of 17, n7, 7', whole), '[hidden] of 17, n7, [hidden]')
  t.equal(hide('keyboard key monkey', whole), 'keyboard [hidden] monkey')
})

t.test('the visible part of a secret that the destination shortened is hidden', async (t) => {
  t.equal(hide('sent to s3cr3t/v… and to T0-hunter…', whole), 'sent to [hidden]… and to [hidden]…')
  t.equal(hide('abcdefgh'.repeat(2), whole), 'abcdefgh'.repeat(2))
  t.equal(createHide(['abcdefghijk'])('abcdefgh-abcdefghabcdefghijk', whole), '[hidden]-[hidden]')
})

t.test('secrets that touch or contain each other are hidden once', async (t) => {
  t.equal(createHide(['abcdefg', 'defghij', 'klmnopq'])('>abcdefghijklmnopq<', whole), '>[hidden]<')
})

t.test('the visible part of a secret that the end of the text cuts is hidden', async (t) => {
  const cut = { whole: false }
  for (const end of ['s3cr3t%2Fva', 's3cr3t%2F', 's3cr3t%2', 's3cr3t%', 's3cr3t\\u00', 's3cr3t&#x2', 's3cr3t/val', 'T0-hun', 'T0%2Dhun', 'caf%C', '/hooks/T0', 'caf\uFFFD']) {
    t.equal(hide(`sent to ${end}`, cut), 'sent to [hidden]', end)
  }
  t.equal(hide('sent to s3c', whole), 'sent to s3c', 'in a complete text, the beginning of a secret is not hidden')
  t.equal(hide('the end', cut), 'the end')
})

t.test('a hostile text takes time in proportion to its length', async (t) => {
  const before = performance.now()
  for (const text of ['%25'.repeat(700), '\\'.repeat(2048), '&'.repeat(2048), '&#x'.repeat(700), '%F0'.repeat(700), 's3cr3t'.repeat(340), 'ſ'.repeat(2048), 'İ'.repeat(2048)]) hide(text, { whole: false })
  t.ok(performance.now() - before < 1000)
})
