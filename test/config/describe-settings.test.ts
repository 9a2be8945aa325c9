import t from 'tap'
import { readFileSync } from 'node:fs'
import { describeSettings, meaningOf, settingDescriptions } from '../../src/config/describe-settings.js'
import { readEnvFile } from '../../src/config/env-file.js'
import { loadSettings } from '../../src/config/load-settings.js'

const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')

t.test('every variable has a group, a meaning, a default and, where it counts something, a unit', async t => {
  for (const setting of settingDescriptions) {
    t.match(setting.group, /^[A-Z][a-z]+$/, setting.name)
    t.match(setting.description, /^[A-Z].*\.$/, setting.name)
    t.not(setting.fallback, 'undefined', setting.name)
    if (/_(MS|DAYS|BYTES)$/.test(setting.name)) t.type(setting.unit, 'string', setting.name)
  }
})

t.test('.env.example has every variable with its meaning, unit and default, and nothing else', async t => {
  const paragraphs = example.split('\n\n').filter(paragraph => /^# [A-Z_]+=/m.test(paragraph))
  t.same(paragraphs.map(paragraph => /^# ([A-Z_]+)=/m.exec(paragraph)?.[1]), settingDescriptions.map(setting => setting.name))
  for (const [index, setting] of settingDescriptions.entries()) {
    const lines = (paragraphs[index] ?? '').trim().split('\n').map(line => line.replace(/^# /, ''))
    t.equal(lines.pop(), `${setting.name}=${setting.fallback}`)
    t.equal(lines.join(' '), meaningOf(setting))
  }
})

t.test('.env.example sets nothing as it is, and the defaults when every variable is uncommented', async t => {
  t.same([...readEnvFile({ path: '.env.example', text: example }).values], [])
  const uncommented = example.replace(/^# (?=[A-Z_]+=)/gm, '')
  t.same(loadSettings({ environment: {}, envFile: { path: '.env', text: uncommented } }), {
    ...loadSettings({ environment: {} }),
    FILE_FORWARDER_PATH: './data/events.ndjson'
  })
})

t.test('the help shows every variable with its default, within the width of the terminal', async t => {
  const help = describeSettings(80)
  for (const { name } of settingDescriptions) t.match(help, name)
  t.match(help, 'PORT  (default: 3000)')
  t.match(help, /^Server:\n/)
  t.ok(help.split('\n').every(line => line.length <= 80))
})
