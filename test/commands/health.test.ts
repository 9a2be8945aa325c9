import t from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { createHarness, startServer } from './harness.js'

t.test('a live service is healthy, at whatever address it listens', async t => {
  const server = await startServer(t, (_request, response) => { response.end('{}') })
  for (const HOST of ['127.0.0.1', '0.0.0.0', 'localhost']) {
    const harness = createHarness({ environment: { HOST, PORT: String(server.port) } })
    t.equal(await harness.run('health'), 0)
    t.match(harness.stdout.text, /\/health\/live answered 200\n$/)
  }
  t.same(server.requests.map(({ method, url }) => `${method} ${url}`), Array(3).fill('GET /health/live'))
})

t.test('a service with an unexpected answer is not healthy', async t => {
  const server = await startServer(t, (_request, response) => {
    response.statusCode = 503
    response.end()
  })
  const harness = createHarness({ environment: { PORT: String(server.port) } })
  t.equal(await harness.run('health'), 1)
  t.match(harness.stderr.text, 'answered 503')
})

t.test('a service that does not listen, or does not answer, is not healthy', async t => {
  const absent = createHarness({ environment: { PORT: String(await freePort()) } })
  t.equal(await absent.run('health'), 1)
  t.match(absent.stderr.text, 'cannot be reached (ECONNREFUSED)')
  const server = await startServer(t, () => { /* never answers */ })
  const hanging = createHarness({ environment: { PORT: String(server.port) } })
  t.equal(await hanging.run('health'), 1)
  t.match(hanging.stderr.text, 'did not answer within 2000 ms')
})

t.test('a service with a random port cannot be asked', async t => {
  const directory = t.testdir({ '.env': 'PORT=0' })
  const harness = createHarness({ directory })
  t.equal(await harness.run('health'), 2)
  t.match(harness.stderr.text, 'PORT is 0')
})
