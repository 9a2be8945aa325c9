import t from 'tap'
import { catalogue } from '../../src/voucherify/catalogue.js'
import { createHarness } from './harness.js'

t.test('the events are listed as a table, and as JSON', async t => {
  const table = createHarness()
  t.equal(await table.run('events'), 0)
  for (const { type, documentationName, kind, alsoKnown } of catalogue) {
    t.match(table.stdout.text, new RegExp(`^${type} +${documentationName} +${kind} +/webhooks/${type}${alsoKnown ? ' +also known' : ''}$`, 'm'))
  }
  t.match(table.stdout.text, '/webhooks/custom/<name>, with a name from CUSTOM_WEBHOOKS')
  const json = createHarness()
  t.equal(await json.run('events', '--json'), 0)
  t.same(JSON.parse(json.stdout.text), catalogue.map(({ type, documentationName, kind, alsoKnown }) => ({ type, documentationName, kind, url: `/webhooks/${type}`, alsoKnown })))
})

const commands = [
  'serve', 'send', 'events', 'schema', 'health', 'deliveries', 'show', 'tail', 'dead-letters', 'quarantine', 'replay', 'forwarders', 'verify', 'prune', 'backup', 'restore', 'erase'
]

t.test('every command has help with examples', async t => {
  for (const args of [['--help'], ['-h'], ['help'], ['help', '--help'], ['help', '-h'], ['help', 'help'], ...commands.flatMap(name => [[name, '--help'], ['help', name]]), ['quarantine', 'release', '--help'], ['forwarders', 'forget', '--help']]) {
    const harness = createHarness()
    t.equal(await harness.run(...args), 0, args.join(' '))
    t.match(harness.stdout.text, /^Usage: tierhook(.|\n)*Examples:\n {2}\$ /, args.join(' '))
    t.equal(harness.stderr.text, '')
  }
})

t.test('the help of serve lists every setting, also if the width is unknown', async t => {
  const harness = createHarness()
  t.equal(await harness.run('serve', '--help'), 0)
  t.match(harness.stdout.text, 'VOUCHERIFY_WEBHOOK_SECRETS')
  t.match(harness.stdout.text, 'RETRY_GIVE_UP_MS  (default: 86400000)')
})

t.test('the version is that of the package', async t => {
  for (const option of ['--version', '-V']) {
    const harness = createHarness()
    t.equal(await harness.run(option), 0)
    t.equal(harness.stdout.text, '9.8.7\n')
  }
})

t.test('a mistyped command or option is refused with the nearest name', async t => {
  const command = createHarness()
  t.equal(await command.run('sned'), 2)
  t.match(command.stderr.text, /unknown command 'sned'\n\(Did you mean send\?\)/)
  const help = createHarness()
  t.equal(await help.run('help', 'sned'), 2, 'help for an unknown command fails')
  t.match(help.stderr.text, /^error: unknown command 'sned'\n\(Did you mean send\?\)/)
  const option = createHarness()
  t.equal(await option.run('--env-flie', 'x'), 2)
  t.match(option.stderr.text, /unknown option '--env-flie'\n\(Did you mean --env-file\?\)/)
  const missing = createHarness()
  t.equal(await missing.run('send'), 2)
  t.match(missing.stderr.text, 'Name an event type')
})
