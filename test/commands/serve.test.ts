import t from 'tap'
import { OperatorListenerError } from '../../src/composition/operator-listener.js'
import { createHarness, type HarnessOptions } from './harness.js'
import type { Service, ServiceOptions } from '../../src/commands/context.js'

interface Latch {
  readonly reached: Promise<void>
  readonly open: () => void
}

function latch (): Latch {
  let open = (): void => {}
  const reached = new Promise<void>(resolve => { open = resolve })
  return { reached, open }
}

/** A service whose start the test can await, and that otherwise does what the test says. */
function fakeService (behaviour: Partial<Service> = {}) {
  const started = latch()
  const calls: string[] = []
  let given: ServiceOptions | undefined
  return {
    started: started.reached,
    calls,
    options: () => given,
    create: (options: ServiceOptions): Service => {
      given = options
      return {
        start: async () => {
          calls.push('start')
          started.open()
          return await (behaviour.start?.() ?? Promise.resolve({ url: 'http://127.0.0.1:3000' }))
        },
        close: async () => {
          calls.push('close')
          await behaviour.close?.()
        }
      }
    }
  }
}

function lines (text: string): Array<Record<string, unknown>> {
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

const quick: HarnessOptions = { environment: { SHUTDOWN_TIMEOUT_MS: '0' } }

t.test('without a command, the program serves until a signal stops it', async t => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = fakeService()
    const harness = createHarness({ createService: service.create })
    const running = harness.run()
    await service.started
    harness.signal(signal)
    t.equal(await running, 0)
    t.same(service.calls, ['start', 'close'])
    t.match(lines(harness.log.text)[0], { level: 40, variable: 'VOUCHERIFY_WEBHOOK_SECRETS', time: /^\d{4}-.*Z$/ })
    t.match(lines(harness.log.text).at(-1), { level: 30, signal })
    t.same(lines(harness.log.text).map(({ msg }) => msg).filter(msg => msg !== 'listening'), ['configuration warning', 'stopping', 'stopped'])
    t.ok(harness.log.closed)
    t.equal(harness.listeners.size, 0)
    t.equal(harness.stderr.text, '')
  }
})

t.test('after the start, the program logs the address that it listens on', async t => {
  const service = fakeService()
  const harness = createHarness({ createService: service.create })
  const running = harness.run('serve')
  while (!harness.log.text.includes('listening')) await new Promise(resolve => { setImmediate(resolve) })
  harness.signal('SIGTERM')
  t.equal(await running, 0)
  t.match(lines(harness.log.text)[1], { msg: 'listening', url: 'http://127.0.0.1:3000', version: '9.8.7' })
})

t.test('the service gets its settings from the environment and the file, and its log lines go to the logger\'s output', async t => {
  const service = fakeService()
  const directory = t.testdir({ 'my.env': 'PORT=4000\nLOG_LEVEL=debug\n' })
  const harness = createHarness({ createService: service.create, directory, environment: { PORT: '5000' } })
  const running = harness.run('--env-file', 'my.env')
  await service.started
  const options = service.options()
  t.match(options?.settings, { PORT: 5000, LOG_LEVEL: 'debug' })
  t.equal(options?.logger.level, 'debug')
  options?.logDestination.write('{"msg":"a line of its own"}\n')
  await options?.logDestination.flushed()
  harness.signal('SIGTERM')
  t.equal(await running, 0)
  t.ok(lines(harness.log.text).some(({ msg }) => msg === 'a line of its own'))
})

t.test('on a terminal, log lines of the service and of others are readable', async t => {
  const service = fakeService()
  const harness = createHarness({ createService: service.create, terminal: true })
  const running = harness.run('serve')
  await service.started
  service.options()?.logDestination.write('{"level":30,"time":"2026-01-01T00:00:00.000Z","msg":"a line of its own"}\n')
  await service.options()?.logDestination.flushed()
  harness.signal('SIGTERM')
  t.equal(await running, 0)
  t.match(harness.log.text, /·\S* a line of its own\n/)
  t.match(harness.log.text, /!\S* VOUCHERIFY_WEBHOOK_SECRETS is not set/)
  t.notMatch(harness.log.text, '{"level"')
})

/** Writes a line to the log of a service on a terminal. Resolves with the terminal's whole output. */
async function onTerminal (line: string, environment: Record<string, string> = {}): Promise<string> {
  const service = fakeService()
  const harness = createHarness({ createService: service.create, terminal: true, environment })
  const running = harness.run('serve')
  await service.started
  service.options()?.logDestination.write(line)
  harness.signal('SIGTERM')
  await running
  return harness.log.text
}

t.test('a terminal gets colours, unless NO_COLOR or TERM=dumb says that it should not', async t => {
  const line = '{"level":50,"time":"2026-01-01T00:00:00.000Z","key":1,"err":{"type":"Error","message":"m","stack":"Error: m\\n    at x"},"msg":"a line"}\n'
  for (const environment of [{}, { NO_COLOR: '' }, { TERM: 'xterm' }]) t.match(await onTerminal(line, environment), '\u001B[3', JSON.stringify(environment))
  for (const environment of [{ NO_COLOR: '1' }, { NO_COLOR: '0' }, { TERM: 'dumb' }]) {
    const text = await onTerminal(line, environment)
    t.notMatch(text, '\u001B', JSON.stringify(environment))
    t.match(text, /✗ a line {2}key=1 {2}m\n {9}at x\n/)
  }
})

t.test('text of an event cannot control a terminal or imitate a log line, and is still shown', async t => {
  const nasty = 'a\u001B[2J\u009B31m\u202Egpj\u200B\n[99:99:99.999] FATAL: forged\r\u2028\uD83E\u007F'
  const value = { level: 30, time: '2026-01-01T00:00:00.000Z', [nasty]: nasty, data: { [nasty]: [nasty, { deep: nasty }], none: null, many: 12 }, err: { message: nasty, stack: `Error: ${nasty}\n    at x` }, msg: nasty }
  for (const environment of [{ NO_COLOR: '1' }, {}] as ReadonlyArray<Record<string, string>>) {
    // eslint-disable-next-line no-control-regex
    const text = (await onTerminal(`${JSON.stringify(value)}\n`, environment)).replaceAll(/\u001B\[\d+m/g, '')
    // eslint-disable-next-line no-control-regex
    t.notMatch(text, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B\u2028\u202E]/)
    t.ok(text.isWellFormed())
    t.notMatch(text, /^\[99:99:99\.999\]/m)
    t.match(text, 'a\\u001b[2J\\u009b31m\\u202egpj\\u200b\\u000a[99:99:99.999] FATAL: forged\\u000d\\u2028\\ud83e\\u007f')
    t.match(text, /\n +at x/, 'a stack keeps its line breaks')
  }
  t.match(await onTerminal('no JSON \u001B[2J\n'), 'no JSON \\u001b[2J\n')
})

t.test('lines that do not go to a terminal are unchanged, except for characters that some readers refuse', async t => {
  const service = fakeService()
  const harness = createHarness({ createService: service.create })
  const running = harness.run('serve')
  await service.started
  const written = ['{"msg":"plain \\u001b \\\\ud83e"}\n', '{"a":"Zoë 🫖 \u202E","b":"\\ud83e\\ude00"}\n', '{"a":"\\ud83e \uD83E","\u009B":1}\n{"b":"\\uDE00"}\n']
  for (const line of written) service.options()?.logDestination.write(line)
  harness.signal('SIGTERM')
  await running
  for (const line of ['{"msg":"plain \\u001b \\\\ud83e"}\n', '{"a":"Zoë 🫖 \\u202e","b":"\\ud83e\\ude00"}\n', '{"a":"\\ufffd \uFFFD","\\u009b":1}\n{"b":"\\ufffd"}\n']) t.ok(harness.log.text.includes(line), line)
})

t.test('a second signal ends the process at once, with that signal\'s exit code', async t => {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    const closing = latch()
    const service = fakeService({ close: async () => { await closing.reached } })
    const harness = createHarness({ createService: service.create })
    const running = harness.run('serve')
    await service.started
    harness.signal('SIGTERM')
    t.same(harness.exits, [])
    harness.signal(signal)
    t.same(harness.exits, [code])
    t.ok(harness.log.abandoned)
    closing.open()
    t.equal(await running, 0)
  }
})

t.test('a service that does not close in time is abandoned with an error', async t => {
  const service = fakeService({ close: async () => { await new Promise(() => {}) } })
  const harness = createHarness({ ...quick, createService: service.create })
  const running = harness.run('serve')
  await service.started
  const begun = performance.now()
  harness.signal('SIGTERM')
  t.equal(await running, 1)
  t.ok(performance.now() - begun > 950, 'the service is abandoned one second after the shutdown timeout')
  t.match(lines(harness.log.text).at(-1), { level: 50, msg: 'stop timed out' })
})

t.test('a log without a reader does not delay the end', async t => {
  const service = fakeService()
  const harness = createHarness({ createService: service.create, hangingLog: true })
  const running = harness.run('serve')
  await service.started
  harness.signal('SIGTERM')
  t.equal(await running, 0)
  t.ok(harness.log.abandoned)
})

t.test('a service that fails to close ends with an error', async t => {
  const service = fakeService({ close: async () => { throw new Error('cannot close') } })
  const harness = createHarness({ createService: service.create })
  const running = harness.run('serve')
  await service.started
  harness.signal('SIGTERM')
  t.equal(await running, 1)
  t.match(lines(harness.log.text).at(-1), { level: 50, msg: 'stop failed', err: { message: 'cannot close' } })
})

t.test('a signal during the start waits for the start and then closes', async t => {
  const starting = latch()
  const service = fakeService({
    start: async () => {
      await starting.reached
      return { url: 'http://127.0.0.1:3000' }
    }
  })
  const harness = createHarness({ createService: service.create })
  const running = harness.run('serve')
  await service.started
  harness.signal('SIGTERM')
  starting.open()
  t.equal(await running, 0)
  t.same(service.calls, ['start', 'close'])
})

function failure (message: string, fields: Record<string, string>): Error {
  return Object.assign(new Error(message), fields)
}

function operatorFailure (fields: Record<string, string>): Error {
  return new OperatorListenerError('The operator\'s listener cannot listen', { cause: failure('x', fields) })
}

t.test('a start that fails says why and what to do in one line', async t => {
  const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
    [failure('x', { code: 'EADDRINUSE', syscall: 'listen' }), /Cannot listen at 127\.0\.0\.1:3000: another program listens there\. Stop it, or set PORT/],
    [operatorFailure({ code: 'EADDRINUSE', syscall: 'listen' }), /Cannot listen at 127\.0\.0\.1:3001: another program listens there\. Stop it, or set ADMIN_PORT to another port, or to 0/],
    [operatorFailure({ code: 'EADDRNOTAVAIL' }), /Set ADMIN_HOST/],
    [operatorFailure({}), /Cannot start: x/],
    [failure('x', { code: 'EADDRNOTAVAIL' }), /no such address\. Set HOST/],
    [failure('x', { code: 'EACCES', syscall: 'listen' }), /ports below 1024 need a privilege/],
    [failure('x', { code: 'EACCES', syscall: 'mkdir', path: './data/x' }), /Cannot write \.\/data\/x \(EACCES\)\. Make DATA_DIR \(\.\/data\)/],
    [failure('x', { code: 'EACCES', syscall: 'open', path: '/elsewhere/events.ndjson' }), /Cannot write \/elsewhere\/events\.ndjson \(EACCES\)\. Give this user the right/],
    [new Error('wrapped', { cause: failure('x', { code: 'EROFS' }) }), /Cannot write \.\/data \(EROFS\)/],
    [new Error('something new'), /Cannot start: something new/],
    ['no error at all', /Cannot start: no error at all/]
  ]
  for (const [error, expected] of cases) {
    const service = fakeService({ start: async () => { throw error } })
    const harness = createHarness({ createService: service.create })
    t.equal(await harness.run('serve'), 1)
    t.match(harness.stderr.text, expected)
    t.match(harness.stderr.text, /^tierhook: [^\n]+\n$/)
    t.equal(harness.listeners.size, 0)
    t.ok(harness.log.closed)
  }
})

t.test('a service that cannot be created fails the start', async t => {
  const harness = createHarness({ createService: () => { throw new Error('bad forwarder') } })
  t.equal(await harness.run('serve'), 1)
  t.match(harness.stderr.text, 'Cannot start: bad forwarder')
})

t.test('a wrong configuration names every variable and starts nothing', async t => {
  const service = fakeService()
  const directory = t.testdir({ '.env': 'PROT=1\nVOUCHERIFY_WEBHOOK_SECRETS=hunter 2\n' })
  const harness = createHarness({ createService: service.create, directory, environment: { PORT: 'x', LOG_LEVEL: 'loud' } })
  t.equal(await harness.run(), 2)
  for (const name of ['PROT', 'PORT', 'LOG_LEVEL', 'VOUCHERIFY_WEBHOOK_SECRETS']) t.match(harness.stderr.text, `\n  ${name}: `)
  t.notMatch(harness.stderr.text, 'hunter')
  t.same(service.calls, [])
})

t.test('a named environment file that is missing or unreadable stops the start', async t => {
  const missing = createHarness()
  t.equal(await missing.run('serve', '--env-file', 'gone.env'), 2)
  t.match(missing.stderr.text, 'gone.env cannot be read (ENOENT)')
  const directory = t.testdir({ '.env': {} })
  const unreadable = createHarness({ directory })
  t.equal(await unreadable.run('serve'), 2)
  t.match(unreadable.stderr.text, '.env cannot be read (EISDIR)')
})

t.test('an unexpected error is not swallowed', async t => {
  const harness = createHarness()
  harness.stdout.write = () => { throw new Error('a defect') }
  await t.rejects(harness.run('events'), { message: 'a defect' })
})
