import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { allTokens, decodeToken, decodeTokens } from '../../src/config/decode-token.js'

function reasonOf (text: string): string {
  const decoded = decodeToken(text)
  return decoded.ok ? '' : decoded.reason
}

const ADVICE = /"openssl rand -hex 32" makes a good one$/

t.test('a token that repeats itself, counts or consists of well-known words is refused, with advice how to make a good one', async t => {
  for (const text of [
    'x'.repeat(24), '0'.repeat(64), 'x'.repeat(63) + 'y', 'ab'.repeat(20), 'abc123'.repeat(6), 'aabbaabbabababbabaabbaba', '0123456789abcdef0123456789abcdef',
    'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', '987654321098765432109876543210', '123123123123123123123123', 'deadbeefdeadbeefdeadbeef',
    'deadbeefcafebabedeadbeef', 'qwertyuiopasdfghjklzxcvbnm', 'password-password-password', 'passwordPASSWORDpassword', 'admin-token-secret-tierhook', 'tierhook-operator-token-1234',
    '00000000-0000-0000-0000-000000000000', '111111112222222233333333', 'k7Fq'.repeat(8), 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaak7FqXp2m'
  ]) {
    const reason = reasonOf(text)
    t.match(reason, /^can be guessed/, text)
    t.match(reason, ADVICE)
    t.notMatch(reason, text, 'the message does not show the token')
  }
})

t.test('a placeholder from an example is refused, whatever its length', async t => {
  for (const text of ['changeme-changeme-changeme', 'please-change-me-before-you-deploy', 'CHANGE_THIS_TOKEN_IN_PRODUCTION_9f8a7c', 'replace-with-24-random-characters', 'your-admin-token-goes-in-here', 'insert-your-own-long-token-here']) {
    t.match(reasonOf(text), /^is a placeholder/, text)
    t.match(reasonOf(text), ADVICE)
  }
})

t.test('a random token is accepted, in every common form', async t => {
  const forms: Readonly<Record<string, () => string>> = {
    'openssl rand -hex 32': () => randomBytes(32).toString('hex'),
    'openssl rand -hex 24': () => randomBytes(24).toString('hex'),
    'openssl rand -hex 16': () => randomBytes(16).toString('hex'),
    'openssl rand -base64 32': () => randomBytes(32).toString('base64'),
    'as few as may be, in base64url': () => randomBytes(18).toString('base64url'),
    uuidgen: () => randomUUID(),
    digits: () => Array.from(randomBytes(40), (byte) => String(byte % 10)).join('')
  }
  for (const [form, make] of Object.entries(forms)) {
    const refused = Array.from({ length: 2000 }, make).filter((token) => reasonOf(token) !== '')
    t.strictSame(refused, [], form)
  }
})

t.test('characters that no header can carry are refused', async t => {
  t.match(reasonOf('x'.repeat(23)), /^must have 24 characters or more/)
  t.match(reasonOf(randomBytes(600).toString('hex')), /^must have 1024 characters or fewer/)
  t.match(reasonOf('a token with spaces in it, long'), /^may contain only letters, digits/)
})

t.test('tokens have names and roles, and a fault is reported without the token', async t => {
  const [one, two] = [randomBytes(32).toString('hex'), randomBytes(32).toString('base64')]
  t.same(decodeTokens(`prometheus:read:${one}, anna:operate:${two},`), {
    ok: true, value: [{ name: 'prometheus', role: 'read', token: one }, { name: 'anna', role: 'operate', token: two }]
  })
  for (const [text, reason] of [
    ['', /^names no token/],
    [one, /item 1 is not one$/],
    [`anna:read:${one},ben:write:${two}`, /item 2 is not one$/],
    [`Anna:read:${one}`, /item 1 is not one$/],
    [`admin:read:${one}`, /^names a token admin, which is the name of ADMIN_TOKEN/],
    [`anna:read:${one},anna:operate:${two}`, /^names anna twice/],
    [`anna:read:${one},ben:operate:${one}`, /^has the same token for anna and ben/],
    ['anna:read:short', /^has a token, that of anna, which must have 24 characters or more/],
    [`anna:read:${'x'.repeat(30)}`, /^has a token, that of anna, which can be guessed/],
    ['anna:operate:changeme-changeme-changeme', /^has a token, that of anna, which is a placeholder/],
    [Array.from({ length: 51 }, (_, index) => `n${index}:read:${randomBytes(32).toString('hex')}`).join(), /^must not have more than 50 tokens/]
  ] as const) {
    const decoded = decodeTokens(text)
    t.match(decoded, { ok: false, reason })
    t.notMatch(JSON.stringify(decoded), one)
  }
})

t.test('ADMIN_TOKEN is an operate token with the name admin', async t => {
  const anna = { name: 'anna', role: 'read' as const, token: 'secret' }
  t.same(allTokens({ ADMIN_TOKEN: 'sole', ADMIN_TOKENS: [anna] }), [{ name: 'admin', role: 'operate', token: 'sole' }, anna])
  t.same(allTokens({ ADMIN_TOKENS: [anna] }), [anna])
})
