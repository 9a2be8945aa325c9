import { readFileSync } from 'node:fs'
import t from 'tap'
import { settingDescriptions } from '../../src/config/describe-settings.js'
import { settingNamed } from '../../src/config/settings.js'
import { createListener } from '../../src/http/listener.js'
import { captureLog } from '../support/capture-log.js'

const read = (name: string): string => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')
const fallback = (name: string): string => settingDescriptions.find((setting) => setting.name === name)?.fallback ?? ''

t.test('the example proxies use the address of the service, and pass on only webhooks', async t => {
  const address = `${fallback('HOST')}:${fallback('PORT')}`
  t.match(read('Caddyfile'), `reverse_proxy ${address} {`)
  t.match(read('nginx.conf'), `proxy_pass http://${address};`)
  t.equal(fallback('BODY_LIMIT_BYTES'), String(1024 * 1024))
  t.match(read('nginx.conf'), 'client_max_body_size 1m;')
  for (const name of ['Caddyfile', 'nginx.conf']) {
    t.notMatch(read(name), fallback('ADMIN_PORT'), `${name} does not expose the operator's listener`)
    t.same([...read(name).matchAll(/^\s*(?:location|handle) (\/\S+)/gm)].map(([, path]) => path), [name === 'Caddyfile' ? '/webhooks*' : '/webhooks'])
    t.match(read(name), 'TRUST_PROXY=loopback')
  }
})

t.test('a proxy closes an idle connection before the service does, so that no webhook is sent on a closing one', async t => {
  const { keepAliveTimeout = 0 } = createListener({ logger: captureLog().logger }).serverOptions
  for (const name of ['Caddyfile', '../docker/caddy/Caddyfile']) t.ok(Number(/^\s*keepalive (\d+)s$/m.exec(read(name))?.[1]) * 1000 < keepAliveTimeout - 5000, name)
  t.match(read('../docs/deploying.md'), `less than ${keepAliveTimeout / 1000} s`)
})

t.test('the systemd unit uses existing settings, and allows the service its time to stop', async t => {
  const unit = read('tierhook.service')
  const [, environment = ''] = /^Environment=(.*)$/m.exec(unit) ?? []
  for (const [, name = ''] of environment.matchAll(/(\w+)=/g)) t.ok(name === 'NODE_ENV' || settingNamed(name) !== undefined, name)
  t.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1000 > Number(fallback('SHUTDOWN_TIMEOUT_MS')))
  for (const family of ['AF_INET', 'AF_INET6', 'AF_UNIX', 'AF_NETLINK']) t.match(unit, new RegExp(`^RestrictAddressFamilies=.*\\b${family}\\b`, 'm'), 'Node.js uses AF_NETLINK to list the addresses behind 0.0.0.0')
  t.notMatch(unit, 'MemoryDenyWriteExecute', 'Node.js compiles code at run time')
})
