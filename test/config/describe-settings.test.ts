import t from 'tap'
import { readFileSync } from 'node:fs'
import { describeSettings, envExample, settingDescriptions } from '../../src/config/describe-settings.js'
import { readEnvFile } from '../../src/config/env-file.js'
import { loadSettings } from '../../src/config/load-settings.js'

const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')

t.test('every variable has a group, a meaning, a default and, if it is a quantity, a unit', async t => {
  for (const setting of settingDescriptions) {
    t.match(setting.group, /^[A-Z][a-z]+$/, setting.name)
    t.match(setting.description, /^[A-Z].*\.$/, setting.name)
    t.not(setting.fallback, 'undefined', setting.name)
    if (/_(MS|DAYS|BYTES)$/.test(setting.name)) t.type(setting.unit, 'string', setting.name)
  }
})

t.test('.env.example has every variable with its meaning, unit and default, as npm run env-example writes it', async t => {
  t.equal(example, envExample())
  for (const setting of settingDescriptions) t.match(example, `\n# ${setting.name}=${setting.fallback}\n`)
})

t.test('.env.example sets nothing, and the defaults if every variable is uncommented', async t => {
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
