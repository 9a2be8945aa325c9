import t from 'tap'
import { createNoProxy } from '../../../src/forwarders/http/no-proxy.js'
import { describeRoute, routeTo } from '../../../src/forwarders/http/route.js'

/** Whether a list contains the origin of a URL. */
function has (list: string, url: string): boolean {
  const { hostname, port, protocol } = new URL(url)
  return createNoProxy(list)({ hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) })
}

const cases: ReadonlyArray<readonly [title: string, list: string, listed: readonly string[], others: readonly string[]]> = [
  ['nothing', '', [], ['http://a.example', 'http://[::1]']],
  ['a star alone matches everything', '*', ['http://a.example', 'http://[::1]:8080', 'https://10.0.0.1'], []],
  ['a name matches itself and all names below it', 'example.com', ['http://example.com', 'https://a.b.example.com:8443', 'http://EXAMPLE.com', 'http://example.com.'], ['http://notexample.com', 'http://example.com.evil.test', 'http://com']],
  ['a dot in front makes no difference', '.example.com', ['http://example.com', 'http://a.example.com'], ['http://notexample.com']],
  ['a star and a dot in front make no difference', '*.example.com', ['http://example.com', 'http://a.example.com'], ['http://notexample.com']],
  ['upper case and a dot at the end make no difference', 'Example.COM.', ['http://example.com', 'http://a.example.com.'], ['http://example.org']],
  ['the usual list for Kubernetes', 'localhost,127.0.0.1,10.96.0.0/12,192.168.0.0/16,.svc,.cluster.local,kubernetes.default',
    ['http://localhost:3000', 'http://127.0.0.1', 'http://10.96.0.1', 'http://10.111.255.255', 'http://192.168.1.1', 'http://crm.shop.svc', 'http://crm.shop.svc.cluster.local', 'http://kubernetes.default'],
    ['http://10.112.0.1', 'http://10.0.0.1', 'http://svc.example', 'http://mysvc', 'http://127.0.0.2', 'http://default']],
  ['an address block', '10.0.0.0/8 fd00::/8', ['http://10.255.0.1', 'http://[fd12::1]', 'http://[::ffff:10.1.2.3]'], ['http://11.0.0.1', 'http://[fe80::1]', 'http://10.example']],
  ['an address block that is written with one of its addresses', '10.1.2.3/8', ['http://10.9.9.9'], ['http://11.1.2.3']],
  ['an IPv6 address in any spelling', '::1,[2001:DB8::1]', ['http://[::1]', 'http://[0:0:0:0:0:0:0:1]:99', 'https://[2001:db8:0::1]'], ['http://[::2]', 'http://localhost']],
  ['an IPv4 address written as IPv6', '::ffff:10.0.0.1', ['http://10.0.0.1', 'http://[::ffff:a00:1]'], ['http://10.0.0.2']],
  ['an entry with a port matches only that port', 'a.example:8080,[::1]:81,10.0.0.1:443', ['http://a.example:8080', 'http://b.a.example:8080', 'http://[::1]:81', 'https://10.0.0.1'], ['http://a.example', 'http://[::1]', 'http://10.0.0.1']],
  ['the default port of a URL', 'a.example:80,b.example:443', ['http://a.example', 'https://b.example'], ['https://a.example', 'http://b.example']],
  ['spaces, new lines and empty entries', ' a.example ,\t,b.example c.example\n d.example,', ['http://a.example', 'http://b.example', 'http://c.example', 'http://d.example'], ['http://e.example']],
  ['names with unusual characters', 'my_host,xn--bcher-kva.example,1und1.example', ['http://my_host', 'http://bücher.example', 'http://1und1.example'], []],
  ['an internationalised name', 'Bücher.example', ['http://xn--bcher-kva.example'], []],
  ['an address is never below a name', '1.example', [], ['http://10.0.0.1']]
]

for (const [title, list, listed, others] of cases) {
  t.test(`NO_PROXY: ${title}`, async (t) => {
    for (const url of listed) t.ok(has(list, url), `${list} has ${url}`)
    for (const url of others) t.notOk(has(list, url), `${list} does not have ${url}`)
  })
}

t.test('entries that cannot be understood are refused by name, all at once', async (t) => {
  for (const wrong of [
    '127.*', '10.*.0.1', 'a*.example', '*example.com', '**', '<local>', 'http://a.example', 'a.example/path', '10.0.0.0/33', '10.0.0/8', '::1/129', '10.0.0.0/8:80',
    '127.0.0', '10.', '256.1.1.1', '0x7f.1', 'a..example', '-a.example', 'a.example:0', 'a.example:99999', 'a.example:http', '[10.0.0.1]', '[a.example]', '[::1', '::1]', '"a.example"',
    'a.example;b.example', 'a|b', '!a.example', 'user@a.example', `${'a'.repeat(64)}.example`
  ]) t.throws(() => createNoProxy(`a.example,${wrong}`), { name: 'TypeError', message: `${JSON.stringify(wrong)} is not allowed: use a name` }, wrong)
  t.throws(() => createNoProxy('a*, localhost, b*'), { message: /^"a\*", "b\*" are not allowed: use a name such as example\.com or \.svc or an address, / })
})

t.test('the route to a destination is shown without the proxy\'s password', async (t) => {
  const proxies = { HTTP_PROXY: 'user:hunter2@plain:3128', HTTPS_PROXY: 'http://secure:3128/hunter2' }
  const way = (url: string, variables: Record<string, string>): string => describeRoute(routeTo(url, variables))
  t.equal(way('http://a.example/', proxies), 'through the proxy http://plain:3128 (HTTP_PROXY)')
  t.equal(way('https://a.example/', proxies), 'through the proxy http://secure:3128 (HTTPS_PROXY)')
  t.equal(way('https://a.example/', { ...proxies, https_proxy: '' }), 'directly')
  t.equal(way('https://a.example/', { ...proxies, https_proxy: 'other' }), 'through the proxy http://other (https_proxy)')
  t.equal(way('https://a.example/', { ...proxies, NO_PROXY: 'a.example:443' }), 'directly')
  t.equal(way('https://a.example/', { ...proxies, NO_PROXY: 'a.example', no_proxy: 'b.example' }), 'through the proxy http://secure:3128 (HTTPS_PROXY)')
  t.equal(way('https://a.example/', {}), 'directly')
})

t.test('an invalid list is reported with its variable, and only if a proxy is configured', async (t) => {
  t.throws(() => routeTo('http://a.example/', { HTTP_PROXY: 'x', NO_PROXY: '127.*' }), { name: 'TypeError', message: /^NO_PROXY cannot be understood: "127\.\*" is not allowed/ })
  t.throws(() => routeTo('http://a.example/', { http_proxy: 'x', no_proxy: '127.*' }), { message: /^no_proxy cannot be understood/ })
  t.strictSame(routeTo('http://a.example/', { HTTPS_PROXY: 'x', NO_PROXY: '127.*' }), { via: 'direct' })
})

t.test('a proxy URL with only a user name, or only a password, is sent as given', async (t) => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  for (const [proxy, said] of [['user@x', 'user:'], ['us%40er:pass%20word@x', 'us@er:pass word'], [':token@x', ':token']] as const) {
    t.match(routeTo('http://a.example/', { HTTP_PROXY: proxy }), { origin: 'http://x', authorization: basic(said) })
  }
  t.notOk('authorization' in routeTo('http://a.example/', { HTTP_PROXY: 'x' }))
  t.throws(() => routeTo('http://a.example/', { HTTP_PROXY: 'hunter2%:@x' }), { message: 'HTTP_PROXY must be the http:// or https:// URL of a proxy, or its host and port' })
})
