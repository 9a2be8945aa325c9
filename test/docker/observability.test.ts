import { Type } from '@sinclair/typebox'
import t from 'tap'
import { existsSync } from 'node:fs'
import { problems } from '../../src/errors/problem.js'
import { anchorsOf, compose, mountedAt, readData, readText, serviceNamed } from './files.js'
import { knownMetrics } from './known-metrics.js'
import { readPromql, type Expression } from './promql.js'

const DOCS = 'docs/observability.md'
const RULES = 'docker/prometheus/alerts.yaml'
/** Metrics that Prometheus makes by itself. */
const always = new Map([['up', new Set<string>()], ['ALERTS', new Set(['alertname', 'alertstate', 'severity'])]])
const everywhere = ['job', 'instance']
const texts = Type.Record(Type.String(), Type.String())
const known = new Map([...await knownMetrics(), ...always])
/** The values of the label `answer`. */
const answers = new Set(['accepted', 'duplicate', ...Object.keys(problems).map(code => code.toLowerCase())])
const anchors = anchorsOf(DOCS)
const docs = readText(DOCS)

const { groups } = readData(RULES, Type.Object({
  groups: Type.Array(Type.Object({
    name: Type.String(),
    rules: Type.Array(Type.Object({
      alert: Type.String(),
      expr: Type.String(),
      for: Type.Optional(Type.String()),
      labels: Type.Object({ severity: Type.Union([Type.Literal('warning'), Type.Literal('critical')]) }, { additionalProperties: false }),
      annotations: Type.Object({ summary: Type.String(), description: Type.String(), runbook_url: Type.String() }, { additionalProperties: false })
    }, { additionalProperties: false }))
  }))
}))
const rules = groups.flatMap(group => group.rules)

const panelParts = {
  id: Type.Integer(),
  type: Type.String(),
  title: Type.String({ minLength: 1 }),
  gridPos: Type.Object({ x: Type.Integer({ minimum: 0 }), y: Type.Integer({ minimum: 0 }), w: Type.Integer({ minimum: 1 }), h: Type.Integer({ minimum: 1 }) })
}
const links = Type.Array(Type.Object({ title: Type.String(), url: Type.String() }))
const dashboard = readData('docker/grafana/dashboards/tierhook.json', Type.Object({
  uid: Type.String(),
  templating: Type.Object({ list: Type.Array(Type.Object({ name: Type.String(), definition: Type.Optional(Type.String()) })) }),
  annotations: Type.Object({ list: Type.Array(Type.Object({ expr: Type.Optional(Type.String()) })) }),
  links,
  panels: Type.Array(Type.Union([
    Type.Object({ ...panelParts, type: Type.Literal('row') }),
    Type.Object({
      ...panelParts,
      description: Type.String({ minLength: 1 }),
      fieldConfig: Type.Object({ defaults: Type.Object({ unit: Type.Optional(Type.String()) }) }),
      links: Type.Optional(links),
      targets: Type.Array(Type.Object({ refId: Type.String(), expr: Type.String(), legendFormat: Type.String(), datasource: Type.Object({ type: Type.String(), uid: Type.String() }) }), { minItems: 1 })
    })
  ]))
}))
const panels = dashboard.panels.flatMap(panel => 'targets' in panel ? [panel] : [])
const targets = panels.flatMap(({ title, targets }) => targets.map(target => ({ title, ...target })))
const promql = targets.filter(({ datasource }) => datasource.type === 'prometheus')
const logql = targets.filter(({ datasource }) => datasource.type === 'loki')

/** Replaces the places where Grafana puts a time. */
function withTimes (expr: string): string {
  return expr.replace(/\$__(?:rate_interval|interval|range|auto)/g, '5m')
}

/** Parses an expression, and reports unknown names in it. */
function read (expr: string): { readonly expression: Expression, readonly labels: ReadonlySet<string>, readonly faults: readonly string[] } {
  const expression = readPromql(withTimes(expr))
  const faults: string[] = []
  const labels = new Set(everywhere)
  for (const { metric, matchers, within } of expression.selectors) {
    const has = known.get(metric)
    if (has === undefined) faults.push(`${metric} is no metric`)
    for (const label of has ?? []) labels.add(label)
    for (const label of matchers.keys()) if (has?.has(label) === false && !everywhere.includes(label)) faults.push(`${metric} has no label ${label}`)
    for (const answer of (matchers.get('answer') ?? 'accepted').split('|')) if (!answers.has(answer)) faults.push(`${answer} is no answer`)
    if (['rate', 'increase'].includes(within) !== /_(?:total|bucket|sum|count)$/.test(metric)) faults.push(`${within === '' ? 'the bare value' : within} of ${metric}`)
  }
  for (const label of expression.groupings) if (!labels.has(label)) faults.push(`there is no label ${label} to group by`)
  return { expression, labels, faults }
}

function anchorOf (url: string): string {
  return url.slice(url.indexOf('#') + 1)
}

t.test('the reader of PromQL finds the faults of an expression', async t => {
  t.throws(() => read('sum(tierhook_ready'), /not closed/)
  t.throws(() => read('tierhook_ready)'), /closes nothing/)
  t.throws(() => read('summ(tierhook_ready)'), /no function/)
  t.throws(() => read('tierhook_dead_letters{forwarder=crm}'), /no matcher/)
  t.throws(() => read('tierhook_ready & 1'), /no PromQL/)
  t.same(read('tierhook_redy').faults, ['tierhook_redy is no metric'])
  t.same(read('histogram_quantile(0.9, rate(tierhook_webhook_duration_seconds[5m]))').faults[0], 'tierhook_webhook_duration_seconds is no metric')
  t.same(read('tierhook_dead_letters{forwader="crm"}').faults, ['tierhook_dead_letters has no label forwader'])
  t.same(read('sum by (forwader) (tierhook_dead_letters)').faults, ['there is no label forwader to group by'])
  t.same(read('rate(tierhook_webhooks_total{answer="acepted"}[5m])').faults, ['acepted is no answer'])
  t.same(read('rate(tierhook_ready[5m])').faults, ['rate of tierhook_ready'])
  t.same(read('tierhook_drift_total').faults, ['the bare value of tierhook_drift_total'])
})

t.test('Prometheus is configured with the service, its token and the rules', async t => {
  const { rule_files: ruleFiles, scrape_configs: jobs } = readData('docker/prometheus/prometheus.yaml', Type.Object({
    rule_files: Type.Array(Type.String()),
    scrape_configs: Type.Array(Type.Object({
      job_name: Type.String(),
      authorization: Type.Optional(Type.Object({ credentials_file: Type.String() })),
      static_configs: Type.Array(Type.Object({ targets: Type.Array(Type.String()) }))
    }))
  }))
  const prometheus = serviceNamed('prometheus')
  const script = prometheus.command?.join('\n') ?? ''
  t.same(ruleFiles.map(path => mountedAt('prometheus', path)), [RULES])
  t.match(script, '--config.file=/etc/prometheus/prometheus.yaml')
  const job = jobs.find(({ job_name: name }) => name === 'tierhook')
  const port = serviceNamed('tierhook').ports?.[1]?.split(':')[2]
  t.same(job?.static_configs, [{ targets: [`tierhook:${port}`] }])
  t.ok(prometheus.networks.some(network => serviceNamed('tierhook').networks.includes(network)))
  const tokenFile = job?.authorization?.credentials_file ?? ''
  t.match(script, `printf %s "$$METRICS_TOKEN" > ${tokenFile}\n`)
  t.match(serviceNamed('tierhook').environment?.['ADMIN_TOKENS'], /prometheus:read:\$\{METRICS_TOKEN\}/)
  t.notOk('ADMIN_TOKEN' in (prometheus.environment ?? {}), 'Prometheus gets no token that may change anything')
  t.ok(prometheus.tmpfs?.some(tmpfs => tokenFile.startsWith(`${tmpfs.split(':')[0]}/`)), 'the token file is kept in memory only')
})

t.test('each alert uses existing metrics and labels', async t => {
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, expr, annotations } of rules) {
    const { labels, faults, expression: { groupings } } = read(expr)
    t.same(faults, [], alert)
    t.match(alert, /^Tierhook[A-Z][A-Za-z]+$/)
    for (const [, label = ''] of annotations.description.matchAll(/\$labels\.(\w+)/g)) t.ok((groupings.length > 0 ? groupings : [...labels]).includes(label), `${alert}: ${label}`)
  }
})

t.test('each alert is in the docs with its severity and what to do, and its link leads there', async t => {
  const [, grafana] = serviceNamed('grafana').ports?.[0]?.split(':') ?? []
  for (const { alert, labels, annotations: { runbook_url: url } } of rules) {
    t.equal(url.split('#')[0], `http://127.0.0.1:${grafana}/public/tierhook/observability.md`, alert)
    t.ok(anchors.has(anchorOf(url)), `the docs have the heading that ${url} links to`)
    t.match(docs, new RegExp(`^\\| \`${alert}\` \\| .+ \\| ${labels.severity} \\| \\[.+\\]\\(#${anchorOf(url)}\\) \\|$`, 'm'))
  }
  t.equal(docs.match(/^\| `Tierhook/gm)?.length, rules.length, 'the docs list exactly the alerts that exist')
  t.equal(mountedAt('grafana', '/usr/share/grafana/public/tierhook/observability.md'), DOCS)
})

t.test('the rules\' own tests have a case where each alert fires and one where it is silent', async t => {
  const { tests } = readData('docker/prometheus/alerts.test.yaml', Type.Object({
    tests: Type.Array(Type.Object({
      input_series: Type.Array(Type.Object({ series: Type.String() })),
      alert_rule_test: Type.Array(Type.Object({ alertname: Type.String(), exp_alerts: Type.Array(Type.Object({ exp_labels: texts, exp_annotations: texts })) }))
    }))
  }))
  for (const { series } of tests.flatMap(test => test.input_series)) {
    for (const { metric, matchers } of readPromql(series).selectors) for (const label of matchers.keys()) t.ok(known.get(metric)?.has(label) === true || everywhere.includes(label), `${metric}: ${label}`)
  }
  const cases = tests.flatMap(test => test.alert_rule_test)
  for (const { alert, annotations: { summary } } of rules) {
    t.ok(cases.some(({ alertname, exp_alerts: alerts }) => alertname === alert && alerts.some(each => each.exp_annotations['summary'] === summary)), `${alert} fires`)
    t.ok(cases.some(({ alertname, exp_alerts: alerts }) => alertname === alert && alerts.length === 0), `${alert} is silent`)
  }
})

t.test('each panel has a unique id, a place of its own, a unit and a description', async t => {
  t.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  const taken = new Map<string, string>()
  for (const { title, gridPos: { x, y, w, h } } of dashboard.panels) {
    t.ok(x + w <= 24, `${title} is within the grid`)
    for (let column = x; column < x + w; column += 1) {
      for (let line = y; line < y + h; line += 1) {
        const cell = `${column},${line}`
        if (taken.has(cell)) t.fail(`${title} lies on ${taken.get(cell)}`)
        taken.set(cell, title)
      }
    }
  }
  for (const { title, type, description, fieldConfig } of panels) {
    t.match(description, /\.$/, title)
    if (type !== 'logs') t.type(fieldConfig.defaults.unit, 'string', title)
  }
})

t.test('each panel uses existing metrics and labels, and its legend uses labels that remain', async t => {
  for (const { title, expr, legendFormat } of promql) {
    const { labels, faults, expression: { groupings } } = read(expr)
    t.same(faults, [], title)
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) t.ok((groupings.length > 0 ? groupings : [...labels]).includes(label), `${title}: ${label}`)
  }
  for (const { expr } of dashboard.annotations.list) if (expr !== undefined) t.same(read(expr).faults, [])
  for (const { definition } of dashboard.templating.list) {
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition ?? 'label_values(up, instance)') ?? []
    t.ok(known.get(metric)?.has(label) === true || everywhere.includes(label), `${metric}: ${label}`)
  }
})

t.test('every metric of tierhook is on the dashboard', async t => {
  const shown = new Set(promql.flatMap(({ expr }) => read(expr).expression.selectors.map(({ metric }) => metric)))
  const parts = [...known.keys()].filter(name => name.startsWith('tierhook_'))
  const wholes = new Map(parts.map(name => [name, name.replace(/_(?:bucket|sum|count)$/, '')]))
  for (const whole of new Set(wholes.values())) t.ok(parts.some(part => wholes.get(part) === whole && shown.has(part)), whole)
})

t.test('the dashboard uses only existing variables, data sources and links', async t => {
  const variables = new Set(dashboard.templating.list.map(({ name }) => name))
  for (const { title, expr, datasource } of targets) {
    for (const [, name = ''] of `${expr} ${datasource.uid}`.matchAll(/\$\{?(?!__)(\w+)/g)) t.ok(variables.has(name), `${title}: ${name}`)
    t.equal(datasource.uid.slice(2, -1), datasource.type, title)
  }
  const { datasources } = readData('docker/grafana/provisioning/datasources/tierhook.yaml', Type.Object({ datasources: Type.Array(Type.Object({ uid: Type.String(), type: Type.String(), url: Type.String() })) }))
  t.same(datasources.map(({ uid, type }) => [uid, type]), [['prometheus', 'prometheus'], ['loki', 'loki']])
  for (const { url } of datasources) t.ok(new URL(url).hostname in compose.services, url)
  for (const { url } of [...dashboard.links, ...panels.flatMap(panel => panel.links ?? [])]) {
    if (url.startsWith('/')) t.ok(url.startsWith('/public/tierhook/observability.md#') && anchors.has(anchorOf(url)), url)
    else t.equal(url, `http://127.0.0.1:${serviceNamed('tierhook').ports?.[1]?.split(':')[1]}/`)
  }
})

t.test('Grafana is configured with the dashboard', async t => {
  const { providers: [provider] } = readData('docker/grafana/provisioning/dashboards/tierhook.yaml', Type.Object({ providers: Type.Tuple([Type.Object({ options: Type.Object({ path: Type.String() }) })]) }))
  const path = `${provider.options.path}/tierhook.json`
  t.equal(mountedAt('grafana', path), 'docker/grafana/dashboards/tierhook.json')
  t.equal(serviceNamed('grafana').environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'], path)
  for (const kind of ['datasources', 'dashboards']) t.ok(existsSync(new URL(`../../${mountedAt('grafana', `/etc/grafana/provisioning/${kind}/tierhook.yaml`)}`, import.meta.url)), kind)
})

t.test('the log has few labels in Loki, and queries use these', async t => {
  const alloy = readText('docker/alloy/config.alloy')
  const labels = (/stage\.label_keep \{\s*values = \[(.*)\]/.exec(alloy)?.[1] ?? '').match(/\w+/g)
  t.same(labels, ['service_name', 'level'])
  const [, logs = ''] = serviceNamed('alloy').volumes.map(volume => volume.replace(/^\$\{\w+:-(.*?)\}/, '$1').split(':')).find(([source]) => source === '/var/lib/docker/containers') ?? []
  t.ok(alloy.includes(`__path__ = "${logs}/*/*-json.log"`))
  t.ok(alloy.includes(`{tag!=\\"${serviceNamed('tierhook').logging.options['tag']}\\"}`), 'Alloy recognises tierhook\'s own lines by the tag set in compose')
  t.equal(mountedAt('alloy', serviceNamed('alloy').command?.at(-1) ?? ''), 'docker/alloy/config.alloy')
  const loki = readData(mountedAt('loki', '/etc/loki/loki.yaml') ?? '', Type.Object({
    server: Type.Object({ http_listen_port: Type.Integer() }),
    analytics: Type.Object({ reporting_enabled: Type.Literal(false) }),
    compactor: Type.Object({ retention_enabled: Type.Literal(true) })
  }))
  t.ok(alloy.includes(`url = "http://loki:${loki.server.http_listen_port}/loki/api/v1/push"`))
  t.ok(logql.length > 0)
  for (const { title, expr } of logql) {
    const [, matchers = ''] = /\{(.*?)\}/.exec(expr) ?? []
    t.same([...matchers.matchAll(/(\w+)(?:=~|=)"/g)].map(([, label]) => label).filter(label => labels?.includes(label ?? '') !== true), [], title)
    t.match(matchers, 'service_name="tierhook"', title)
  }
  // The fields in the example queries of the docs.
  for (const [, field] of docs.matchAll(/\} \| (\w+)=/g)) t.match(alloy, new RegExp(`^\\s+${field}\\s+= ""`, 'm'))
})
