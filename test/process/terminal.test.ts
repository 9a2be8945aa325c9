import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { makeStore, quarantinedDelivery } from '../journal/sqlite/stored.js'
import { plainNode, program } from '../support/program.js'
import { eventBody } from '../support/service-process.js'

interface OnTerminal {
  /** The output of the terminal so far. */
  readonly shown: () => string
  /** Types Ctrl-C, or another key; resolves with the exit code. */
  readonly interrupt: (key?: string) => Promise<number | null>
}

/** Runs the built program on a pseudo-terminal, with `script`, which is part of every Debian. */
function startOnTerminal (t: Test, environment: Readonly<Record<string, string>>, args: readonly string[] = ['serve']): OnTerminal {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  const command = ['exec', 'env', ...plainNode, program, ...args].join(' ')
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: dataDir,
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'xterm', PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir, FORWARDERS: 'log,file', ...environment }
  })
  t.teardown(() => { child.kill('SIGKILL') })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const ended = new Promise<number | null>((resolve) => { child.on('close', resolve) })
  return {
    shown: () => text.replaceAll('\r\n', '\n'),
    async interrupt (key = '\u0003') {
      child.stdin.write(key)
      return await ended
    }
  }
}

function bodyOf (eventId: string): string {
  const body = JSON.parse(eventBody(eventId)) as { data: Record<string, unknown> }
  body.data['loyalty_tier_from'] = { id: 'ltr_1', name: 'Leaf' }
  body.data['loyalty_tier_to'] = { id: 'ltr_2', name: 'Blütentee \u001B[2J' }
  return JSON.stringify(body)
}

const post = async (url: string, body: string) => await fetch(`${url}/webhooks`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

t.test('on a terminal the service greets with its addresses, shows an event in one line with its tiers, and ends on Ctrl-C', async t => {
  const terminal = startOnTerminal(t, {})
  const url = await eventually(() => /(http:\S+)\/webhooks/.exec(terminal.shown())?.[1], 'the banner')
  t.match(terminal.shown(), '\u001B[1mtierhook ', 'the banner has colours')
  const { id } = await (await post(url, bodyOf('ev_terminal'))).json() as { id: string }
  await post(url, bodyOf('ev_terminal'))
  await eventually(() => terminal.shown().includes('duplicate') ? true : undefined, 'both event lines')
  t.equal(await terminal.interrupt(), 0)
  // eslint-disable-next-line no-control-regex
  const plain = terminal.shown().replaceAll(/\u001B\[\d+m/g, '')
  t.match(plain, /^ {2}tierhook \d.*\n\n {2}Webhooks {5}http:\S+\/webhooks {2}unsigned\n {2}Operator {5}off {2}ADMIN_PORT is 0\n {2}Forwards to {2}log {3}the lines below\n {15}file {2}\/\S+\/events\.ndjson\n {2}Data {9}\/\S+\/data\n {2}Try {10}npx tierhook send/m)
  const lines = plain.split('\n').filter((line) => line.includes('customer.loyalty'))
  t.match(lines, [
    /npx tierhook send/,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d ✓ customer\\.loyalty\\.tier\\.upgraded {2}Leaf → Blütentee \\\\u001b\\[2J {2}cust_ev_t… {2}${id.slice(0, 13)}$`),
    /^\d\d:\d\d:\d\d = customer\.loyalty\.tier\.upgraded .* duplicate .*$/
  ])
  t.equal(lines.length, 3, 'each event is shown once')
  t.match(plain, /· stopped {2}signal=SIGINT/)
})

t.test('NO_COLOR removes colours, and LOG_FORMAT=json gives a terminal the same lines as a file', async t => {
  const plain = startOnTerminal(t, { NO_COLOR: '1' })
  await eventually(() => plain.shown().includes('Ctrl-C') ? true : undefined, 'the banner')
  t.equal(await plain.interrupt(), 0)
  t.notMatch(plain.shown(), '\u001B')
  const json = startOnTerminal(t, { LOG_FORMAT: 'json' })
  await eventually(() => json.shown().includes('"msg":"listening"') ? true : undefined, 'the "listening" line')
  t.equal(await json.interrupt(), 0)
  for (const line of json.shown().replace('^C', '').trim().split('\n')) t.type(JSON.parse(line), 'object')
})

t.test('an unanswered question ends the command as a signal does, and nothing is done', async t => {
  const store = makeStore(t)
  store.append(quarantinedDelivery())
  for (const [name, key] of [['Ctrl-C', '\u0003'], ['Ctrl-D', '\u0004']] as const) {
    await t.test(name, async t => {
      const discard = startOnTerminal(t, {}, ['quarantine', 'discard', '--all', '--data-dir', store.dataDir])
      await eventually(() => discard.shown().includes('[y/N]') ? true : undefined, 'the question')
      t.equal(await discard.interrupt(key), 130)
      t.match(discard.shown(), /Nothing was discarded\.\n$/)
      // No listener handles the signal here, so it ends the process.
      const init = startOnTerminal(t, {}, ['init'])
      await eventually(() => init.shown().includes('> ') ? true : undefined, 'the question')
      t.equal(await init.interrupt(key), 130)
      for (const { shown } of [discard, init]) t.notMatch(shown(), /AbortError|node:internal/)
    })
  }
})
