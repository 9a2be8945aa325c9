import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { settingDescriptions } from '../../src/config/describe-settings.js'
import { loadSettings } from '../../src/config/load-settings.js'
import { httpDestination } from '../forwarders/http/support/servers.js'
import { compose, mountedAt, partsOfVolume, readText, serviceNamed } from './files.js'

const services = Object.entries(compose.services)
const tierhook = serviceNamed('tierhook')
const environment = tierhook.environment ?? {}
const dockerfile = readText('Dockerfile')
/** Environment of the Dockerfile's last stage. */
const imageEnvironment = new Map([...(dockerfile.split('\nFROM ').at(-1) ?? '').matchAll(/^(?:ENV| {3}) ([A-Z_]+)=(\S+)/gm)].map(([, name = '', value = '']) => [name, value]))

/** Settings that the settings file cannot change, with the reasons. */
const fixed = new Map([
  ['HOST', '0.0.0.0'],
  ['PORT', 'published under another one by the compose file'],
  ['ADMIN_HOST', '0.0.0.0'],
  ['ADMIN_PORT', 'as PORT'],
  ['DATA_DIR', 'the volume'],
  ['SHUTDOWN_TIMEOUT_MS', 'has to stay below the grace period']
])

t.test('every container is hardened: read-only, no capabilities, bounded memory, processes and log', async t => {
  for (const [name, service] of services) {
    t.same(service.cap_drop, ['ALL'], name)
    t.same(service.cap_add, name === 'caddy' ? ['NET_BIND_SERVICE'] : undefined, name)
    t.ok(service.security_opt.includes('no-new-privileges:true'), name)
    t.match(service.deploy.resources.limits.memory, /^\d+M$/, name)
    t.equal(service.restart, 'unless-stopped', name)
    t.match(service.logging, { driver: 'json-file', options: { 'max-size': /^\d+m$/, 'max-file': /^\d$/ } }, name)
    t.notOk(service.volumes.some(volume => volume.includes('docker.sock')), `${name} has no Docker socket`)
  }
})

t.test('every foreign image is pinned to a release, and every service has a health check', async t => {
  for (const [name, { image, healthcheck }] of services.filter(([name]) => !name.startsWith('tierhook'))) {
    t.match(image, /^(?:[\w/]+:v?\d+\.\d+\.\d+|postgres:\d+\.\d+)$/, name)
    t.equal(healthcheck?.test[0], 'CMD', name)
  }
  t.match(dockerfile, /^HEALTHCHECK .*CMD \["tierhook-health"\]$/m)
  t.match(dockerfile, /^COPY docker\/health \/usr\/local\/bin\/tierhook-health$/m)
})

t.test('both stages of the image use the same base, which can be pinned to a digest', async t => {
  const [, fallback = ''] = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile) ?? []
  t.match(fallback, /^node:\d+-slim(?:@sha256:[0-9a-f]{64})?$/)
  t.same([...dockerfile.matchAll(/^FROM \$\{(\S+)\}/gm)].map(([, argument]) => argument), ['NODE_IMAGE', 'NODE_IMAGE'])
  t.equal(dockerfile.match(/^FROM /gm)?.length, 2)
  t.match(readText('docker/compose.yaml'), `NODE_IMAGE: \${NODE_IMAGE:-${fallback}}`)
})

t.test('the image has labels, tierhook on the path and no npm', async t => {
  const { version } = JSON.parse(readText('package.json')) as { version: string }
  t.match(dockerfile, `ARG VERSION=${version}\n`)
  for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'source', 'base.name']) t.match(dockerfile, `org.opencontainers.image.${label}=`)
  t.match(dockerfile, / ln -s \/app\/dist\/main\.js \/usr\/local\/bin\/tierhook$/m)
  t.match(dockerfile, /^RUN rm -rf \/usr\/local\/lib\/node_modules .*\/npm .*\/npx .*\/corepack /m)
})

t.test('the health check of the image asks the same as tierhook health, and does not start Node.js', async t => {
  let status = 200
  const { port, received } = await httpDestination(t, (_request, response) => { response.writeHead(status).end('{}') })
  const script = fileURLToPath(new URL('../../docker/health', import.meta.url))
  const ask = async (environment: Readonly<Record<string, string>>): Promise<unknown> => await new Promise((resolve) => {
    execFile('bash', [script], { env: { PATH: process.env['PATH'], PORT: String(port), ...environment } }, (error) => { resolve(error === null ? 0 : error.code) })
  })
  t.equal(await ask({ HOST: '0.0.0.0' }), 0)
  t.equal(await ask({}), 0)
  t.same(received.map(({ path }) => path), ['/health/live', '/health/live'])
  status = 503
  t.equal(await ask({ HOST: '127.0.0.1' }), 1)
  t.equal(await ask({ PORT: '1' }), 1)
  t.notMatch(readText('docker/health').replaceAll(/^#.*$/gm, ''), /node|tierhook/)
})

t.test('without a profile the service runs alone', async t => {
  const withProfile = (profile?: string): string[] => services.filter(([, { profiles }]) => profile === undefined ? profiles === undefined : profiles?.includes(profile)).map(([name]) => name)
  t.same(withProfile(), ['tierhook'])
  t.same(withProfile('observability'), ['prometheus', 'loki', 'alloy', 'grafana'])
  t.same(withProfile('fleet'), ['tierhook-2', 'postgres', 'caddy'])
})

t.test('the second replica is like the first, with its own name and volume, and only the balancer reaches it', async t => {
  const { hostname, volumes, ports, profiles: _profiles, ...second } = serviceNamed('tierhook-2')
  const { hostname: firstName, volumes: firstVolumes, ports: _ports, profiles: _none, ...first } = tierhook
  t.same(second, first)
  t.same(ports, [])
  t.same([firstName, hostname], ['tierhook', 'tierhook-2'])
  t.same(volumes, firstVolumes.map((volume) => volume.replace(/^data:/, 'data-2:')))
  const balancer = readText('docker/caddy/Caddyfile')
  t.match(balancer, `reverse_proxy ${firstName}:${tierhook.environment?.['PORT']} ${hostname}:${tierhook.environment?.['PORT']} {`)
  t.match(balancer, /health_uri \/health\/ready/)
})

t.test('only the service, its balancer and Grafana are published, on loopback, each on a different port', async t => {
  const published = services.flatMap(([name, { ports = [] }]) => ports.map(port => [name, ...port.split(':')]))
  t.same(published.map(([name, address]) => [name, address]), [['tierhook', '127.0.0.1'], ['tierhook', '127.0.0.1'], ['caddy', '127.0.0.1'], ['grafana', '127.0.0.1']])
  t.equal(new Set(published.map(([, , port]) => port)).size, published.length)
})

t.test('only services that are published, or send to destinations, have a network that is not internal', async t => {
  for (const [name, { ports, networks }] of services) {
    for (const network of networks.filter(each => each !== 'default')) t.ok(network in compose.networks, `${name}: ${network} is declared`)
    t.equal(networks.some(network => compose.networks[network]?.internal !== true), ports !== undefined, name)
  }
  t.notOk(serviceNamed('loki').networks.some(network => tierhook.networks.includes(network)), 'the service cannot reach Loki')
  t.same(serviceNamed('alloy').networks.filter(network => !serviceNamed('loki').networks.includes(network)), [], 'Alloy shares all its networks with Loki')
})

t.test('every mounted file exists, and every volume is declared', async t => {
  for (const [name, { volumes }] of services) {
    for (const volume of volumes) {
      const [source = '', target = '', mode] = partsOfVolume(volume)
      if (source.startsWith('.')) {
        t.ok(existsSync(new URL(`../../${mountedAt(name, target)}`, import.meta.url)), `${name}: ${source}`)
        t.equal(mode, 'ro', `${name}: ${source}`)
      } else if (source.startsWith('/')) t.equal(mode, 'ro', `${name}: ${source}`)
      else t.ok(source in compose.volumes, `${name}: ${source}`)
    }
  }
})

t.test('every setting can be in the file beside the compose file, except for those that the container fixes', async t => {
  t.same(tierhook.env_file, [{ path: '.env', required: false }])
  const settings = new Map(settingDescriptions.map(setting => [setting.name as string, setting]))
  t.same(new Set(Object.keys(environment)), new Set([...fixed.keys(), 'VOUCHERIFY_WEBHOOK_SECRETS', 'ADMIN_TOKEN', 'ADMIN_TOKENS']), 'compose sets only these variables, so only they override the file')
  for (const name of fixed.keys()) t.ok(settings.has(name), `${name} is a setting`)
  for (const name of ['PORT', 'ADMIN_PORT', 'SHUTDOWN_TIMEOUT_MS']) t.equal(environment[name], settings.get(name)?.fallback, name)
  for (const name of ['HOST', 'PORT', 'DATA_DIR']) t.equal(environment[name], imageEnvironment.get(name), name)
})

t.test('a forwarders file is mounted, with an example that writes to the volume', async t => {
  const example: ReadonlyArray<{ path?: string }> = JSON.parse(readText(mountedAt('tierhook', '/etc/tierhook/forwarders.json') ?? ''))
  t.same(example.flatMap(({ path }) => path ?? []), [`${imageEnvironment.get('DATA_DIR')}/events.ndjson`])
})

t.test('the service does not start without a secret and an operator\'s token', async t => {
  t.match(environment['VOUCHERIFY_WEBHOOK_SECRETS'], /^\$\{VOUCHERIFY_WEBHOOK_SECRETS:\?.+\}$/)
  t.match(environment['ADMIN_TOKEN'], /^\$\{ADMIN_TOKEN:\?.+\}$/)
  t.equal(environment['ADMIN_HOST'], '0.0.0.0')
})

t.test('the tokens of the file and the one of Prometheus make a list that the service accepts', async t => {
  t.equal(environment['ADMIN_TOKENS'], ['', '{ADMIN_TOKENS:-}', '{METRICS_TOKEN:+,prometheus:read:', '{METRICS_TOKEN}}'].join('$'))
  const [anna, prometheus] = ['anna:operate:c2d35f0c9b7ae1d24368b7f1', ',prometheus:read:5f0c9b7ae1d24368b7f1c2d3']
  for (const [text, names] of [[anna, ['anna']], [prometheus, ['prometheus']], [anna + prometheus, ['anna', 'prometheus']]] as const) {
    t.same(loadSettings({ environment: { ADMIN_TOKENS: text } }).ADMIN_TOKENS.map(({ name }) => name), names)
  }
})

t.test('image, compose file and service agree on ports, data folder and time to stop', async t => {
  const fallback = (name: string): string | undefined => settingDescriptions.find(setting => setting.name === name)?.fallback
  const port = imageEnvironment.get('PORT')
  const adminPort = fallback('ADMIN_PORT')
  t.equal(port, fallback('PORT'))
  t.match(dockerfile, new RegExp(`^EXPOSE ${port} ${adminPort}$`, 'm'))
  t.same(tierhook.ports?.map(each => each.split(':')[2]), [port, adminPort])
  const data = imageEnvironment.get('DATA_DIR')
  t.match(dockerfile, new RegExp(`^VOLUME ${data}$`, 'm'))
  t.ok(tierhook.volumes.includes(`data:${data}`))
  t.equal(imageEnvironment.get('SQLITE_TMPDIR'), data, 'DATA_DIR is the only writable folder')
  t.equal(tierhook.init, true)
  t.ok(Number.parseInt(tierhook.stop_grace_period ?? '') * 1000 > Number(fallback('SHUTDOWN_TIMEOUT_MS')))
})

t.test('variables of a profile are required only with that profile', async t => {
  const required = services.flatMap(([name, { environment: given = {} }]) => Object.values(given).filter(value => value.includes(':?')).map(() => name))
  t.same(new Set(required), new Set(['tierhook', 'tierhook-2']), 'only tierhook has required variables, because compose checks those of services that are not started too')
  const grafana = serviceNamed('grafana')
  t.match(grafana.environment?.['GF_SECURITY_ADMIN_PASSWORD'], /^\$\{GRAFANA_ADMIN_PASSWORD:-\}$/)
  // The doubled dollar sign is for the shell, not for compose.
  t.match(grafana.command?.join(), /\$\$\{GF_SECURITY_ADMIN_PASSWORD:\?.+\}"\n\s*exec /)
})

t.test('Grafana requires a password, and nothing reports home', async t => {
  const grafana = serviceNamed('grafana').environment
  for (const name of ['GF_AUTH_ANONYMOUS_ENABLED', 'GF_USERS_ALLOW_SIGN_UP', 'GF_ANALYTICS_REPORTING_ENABLED', 'GF_ANALYTICS_CHECK_FOR_UPDATES', 'GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES', 'GF_NEWS_NEWS_FEED_ENABLED', 'GF_SNAPSHOTS_EXTERNAL_ENABLED', 'GF_PLUGINS_PREINSTALL_AUTO_UPDATE']) t.equal(grafana?.[name], 'false', name)
  for (const name of ['GF_SECURITY_DISABLE_GRAVATAR', 'GF_PLUGINS_PREINSTALL_DISABLED']) t.equal(grafana?.[name], 'true', name)
  t.ok(serviceNamed('alloy').command?.includes('--disable-reporting'))
})
