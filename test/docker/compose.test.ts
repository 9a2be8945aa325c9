import t from 'tap'
import { existsSync } from 'node:fs'
import { settingDescriptions } from '../../src/config/describe-settings.js'
import { compose, mountedAt, readText, serviceNamed } from './files.js'

const services = Object.entries(compose.services)
const tierhook = serviceNamed('tierhook')
const environment = tierhook.environment ?? {}
const dockerfile = readText('Dockerfile')
/** Of the Dockerfile's last stage. */
const imageEnvironment = new Map([...(dockerfile.split('\nFROM ')[1] ?? '').matchAll(/^(?:ENV| {3}) ([A-Z_]+)=(\S+)/gm)].map(([, name = '', value = '']) => [name, value]))

/** Fixed in the container, or not to be had there: the compose file takes none of these from outside. */
const notPassed = new Map([
  ['HOST', 'the image listens on every address'],
  ['PORT', 'published under another one by the compose file'],
  ['DATA_DIR', 'the volume'],
  ['ADMIN_PORT', 'as PORT'],
  ['SHUTDOWN_TIMEOUT_MS', 'has to stay below the grace period'],
  ['ALLOW_UNSIGNED', 'there is a secret'],
  ['FORWARDERS_FILE', 'would have to be mounted'],
  ['FILE_FORWARDER_PATH', 'nothing but the volume can be written']
])
/** Those that the compose file means to be other than by default. */
const otherThanDefault = new Map([['FORWARDERS', 'log,file']])

t.test('every container is hardened: read-only, no capabilities, bounded memory, processes and log', async t => {
  for (const [name, service] of services) {
    t.same(service.cap_drop, ['ALL'], name)
    t.equal(service.cap_add, undefined, name)
    t.ok(service.security_opt.includes('no-new-privileges:true'), name)
    t.match(service.deploy.resources.limits.memory, /^\d+M$/, name)
    t.equal(service.restart, 'unless-stopped', name)
    t.match(service.logging, { driver: 'json-file', options: { 'max-size': /^\d+m$/, 'max-file': /^\d$/ } }, name)
    t.notOk(service.volumes.some(volume => volume.includes('docker.sock')), `${name} has no Docker socket`)
  }
})

t.test('every image of others is pinned to a release, and every service has a health check', async t => {
  for (const [name, { image, healthcheck }] of services.filter(([name]) => name !== 'tierhook')) {
    t.match(image, /^[\w/]+:v?\d+\.\d+\.\d+$/, name)
    t.equal(healthcheck?.test[0], 'CMD', name)
  }
  t.match(dockerfile, /^HEALTHCHECK .*CMD \["node", "\/app\/dist\/main\.js", "health"\]$/m)
})

t.test('without the profile the service runs alone', async t => {
  t.same(services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name), ['tierhook'])
  for (const [name, { profiles }] of services) if (name !== 'tierhook') t.same(profiles, ['observability'], name)
})

t.test('only the service and Grafana are published, on loopback, each on a port of its own', async t => {
  const published = services.flatMap(([name, { ports = [] }]) => ports.map(port => [name, ...port.split(':')]))
  t.same(published.map(([name, address]) => [name, address]), [['tierhook', '127.0.0.1'], ['tierhook', '127.0.0.1'], ['grafana', '127.0.0.1']])
  t.equal(new Set(published.map(([, , port]) => port)).size, published.length)
})

t.test('only what is published has a network that is not internal', async t => {
  for (const [name, { ports, networks }] of services) {
    for (const network of networks.filter(each => each !== 'default')) t.ok(network in compose.networks, `${name}: ${network} is declared`)
    t.equal(networks.some(network => compose.networks[network]?.internal !== true), ports !== undefined, name)
  }
  t.notOk(serviceNamed('loki').networks.some(network => tierhook.networks.includes(network)), 'the service cannot reach Loki')
  t.same(serviceNamed('alloy').networks.filter(network => !serviceNamed('loki').networks.includes(network)), [], 'Alloy reaches Loki alone')
})

t.test('what is mounted is there, and every volume is declared', async t => {
  for (const [name, { volumes }] of services) {
    for (const volume of volumes) {
      const [source = '', target = '', mode] = volume.replace(/^\$\{\w+:-(.*?)\}/, '$1').split(':')
      if (source.startsWith('.')) {
        t.ok(existsSync(new URL(`../../${mountedAt(name, target)}`, import.meta.url)), `${name}: ${source}`)
        t.equal(mode, 'ro', `${name}: ${source}`)
      } else if (source.startsWith('/')) t.equal(mode, 'ro', `${name}: ${source}`)
      else t.ok(source in compose.volumes, `${name}: ${source}`)
    }
  }
})

t.test('the service gets only variables that it knows, each under its own name, with the default that it has anyway', async t => {
  const known = new Map(settingDescriptions.map(setting => [setting.name as string, setting]))
  for (const [name, value] of Object.entries(environment)) {
    t.ok(known.has(name), `${name} is a setting`)
    const [, variable, operator, fallback] = /^\$\{(\w+)(:-|:\?)(.*)\}$/.exec(value) ?? []
    if (variable === undefined) continue
    t.equal(variable, name)
    if (operator === ':?') t.ok(known.get(name)?.secret, `${name} is required, so it is a secret`)
    else t.equal(fallback, fallback === '' ? '' : otherThanDefault.get(name) ?? known.get(name)?.fallback, name)
  }
})

t.test('every variable can be set from outside, but for those that the container fixes', async t => {
  for (const { name } of settingDescriptions) t.not(name in environment, notPassed.has(name), `${name}: ${notPassed.get(name) ?? 'is passed on'}`)
})

t.test('without a secret and a token for the operator the service is not started', async t => {
  t.match(environment['VOUCHERIFY_WEBHOOK_SECRETS'], /^\$\{VOUCHERIFY_WEBHOOK_SECRETS:\?.+\}$/)
  t.match(environment['ADMIN_TOKEN'], /^\$\{ADMIN_TOKEN:\?.+\}$/)
  t.equal(environment['ADMIN_HOST'], '0.0.0.0')
})

t.test('image, compose file and service agree on ports, data and the time to stop', async t => {
  const fallback = (name: string): string | undefined => settingDescriptions.find(setting => setting.name === name)?.fallback
  const port = imageEnvironment.get('PORT')
  const adminPort = fallback('ADMIN_PORT')
  t.equal(port, fallback('PORT'))
  t.match(dockerfile, new RegExp(`^EXPOSE ${port} ${adminPort}$`, 'm'))
  t.same(tierhook.ports?.map(each => each.split(':')[2]), [port, adminPort])
  const data = imageEnvironment.get('DATA_DIR')
  t.match(dockerfile, new RegExp(`^VOLUME ${data}$`, 'm'))
  t.same(tierhook.volumes, [`data:${data}`])
  t.equal(imageEnvironment.get('SQLITE_TMPDIR'), data, 'the one place that can be written')
  t.equal(tierhook.init, true)
  t.ok(Number.parseInt(tierhook.stop_grace_period ?? '') * 1000 > Number(fallback('SHUTDOWN_TIMEOUT_MS')))
})

t.test('what only the profile needs is not asked for without it, and is asked for with it', async t => {
  const required = services.flatMap(([name, { environment: given = {} }]) => Object.values(given).filter(value => value.includes(':?')).map(() => name))
  t.same(new Set(required), new Set(['tierhook']), 'compose asks for such a variable even where the service is not started')
  const grafana = serviceNamed('grafana')
  t.match(grafana.environment?.['GF_SECURITY_ADMIN_PASSWORD'], /^\$\{GRAFANA_ADMIN_PASSWORD:-\}$/)
  // The dollar is doubled, for the shell and not for compose.
  t.match(grafana.command?.join(), /\$\$\{GF_SECURITY_ADMIN_PASSWORD:\?.+\}"\n\s*exec /)
})

t.test('nobody gets into Grafana without a password, and nothing reports home', async t => {
  const grafana = serviceNamed('grafana').environment
  for (const name of ['GF_AUTH_ANONYMOUS_ENABLED', 'GF_USERS_ALLOW_SIGN_UP', 'GF_ANALYTICS_REPORTING_ENABLED', 'GF_ANALYTICS_CHECK_FOR_UPDATES', 'GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES', 'GF_NEWS_NEWS_FEED_ENABLED', 'GF_SNAPSHOTS_EXTERNAL_ENABLED', 'GF_PLUGINS_PREINSTALL_AUTO_UPDATE']) t.equal(grafana?.[name], 'false', name)
  for (const name of ['GF_SECURITY_DISABLE_GRAVATAR', 'GF_PLUGINS_PREINSTALL_DISABLED']) t.equal(grafana?.[name], 'true', name)
  t.ok(serviceNamed('alloy').command?.includes('--disable-reporting'))
})
