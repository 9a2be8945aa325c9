import t from 'tap'
import { buildApp } from '../support/build-app.js'
import { buildService } from '../support/build-service.js'
import { rawConnection } from '../support/raw-http.js'

t.test('a running service is live and ready, and says so without a signature', async t => {
  const service = await buildService(t, { VOUCHERIFY_WEBHOOK_SECRETS: 'secret' })
  for (const [path, body] of [['/health/live', { status: 'live' }], ['/health/ready', { status: 'ready' }]] as const) {
    const answer = await service.get(path)
    t.equal(answer.status, 200)
    t.strictSame(answer.body, body)
    t.match(answer.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  }
  t.strictSame(service.log.find('webhook accepted'), [], 'health checks are not logged')
})

t.test('a problem that blocks webhooks makes the service not ready, and leaves it live', async t => {
  const reasons: string[] = ['journal cannot commit', 'stopping']
  const app = await buildApp(t, { readiness: () => reasons })
  const answer = await app.get('/health/ready')
  t.equal(answer.status, 503)
  t.strictSame(answer.body, { status: 'not ready', reasons: ['journal cannot commit', 'stopping'] })
  t.equal((await app.get('/health/live')).status, 200)
  reasons.length = 0
  t.equal((await app.get('/health/ready')).status, 200)
})

t.test('a stopping service is not ready, and still accepts webhooks on open connections', async t => {
  const service = await buildService(t)
  const connection = await rawConnection(t, service.port)
  const body = JSON.stringify({ data: {}, event: { type: 'some.event', id: 'ev_1' }, source: { id: 'wh_1' } })
  // Half a request keeps the connection open while the service stops.
  connection.write('POST /webhooks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n')
  t.equal((await service.get('/health/live')).status, 200)
  const closing = service.close()
  connection.write(`Content-Length: ${body.length}\r\n\r\n${body}GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  const [accepted] = await connection.answers(1)
  t.equal(accepted?.status, 202)
  t.equal(accepted?.headers.get('connection'), 'close')
  await closing
})
