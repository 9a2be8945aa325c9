import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Pool } from 'undici'
import { loadSettings } from '../../../src/config/load-settings.js'
import { createService } from '../../../src/composition/service.js'
import { sampleEnvelope } from '../../../src/voucherify/samples.js'
import { captureLog } from '../../support/capture-log.js'
import { httpDestination } from './support/servers.js'

const CUSTOMERS = 100
const MOVES = 100
const SAID = /"customer":\{"id":"(cust_\d+)".*"move":(\d+)/

/** A tier move with its number among the moves of its customer. */
function moveBodies (): (customer: string, move: number) => string {
  const sample = sampleEnvelope('customer.loyalty.tier.upgraded', { index: 0, now: new Date() })
  return (customer, move) => JSON.stringify({
    ...sample,
    id: `whs_${customer}_${move}`,
    event: { ...sample.event, id: `ev_${customer}_${move}` },
    data: { ...sample.data, customer: { id: customer, object: 'customer', metadata: { move } } }
  })
}

t.test('ten thousand tier moves of a hundred customers arrive in each customer\'s order, although one request in three fails', async (t) => {
  let requests = 0
  const arrived = new Map<string, number[]>()
  const attempts = { most: 0 }
  const destination = await httpDestination(t, ({ headers, body }, response) => {
    requests += 1
    attempts.most = Math.max(attempts.most, Number(headers['tierhook-attempt']))
    if (requests % 6 === 0) {
      response.destroy()
      return
    }
    if (requests % 3 === 0) {
      response.writeHead(503).end('busy')
      return
    }
    const [, customer = '', move = ''] = SAID.exec(body.toString()) ?? []
    arrived.set(customer, [...arrived.get(customer) ?? [], Number(move)])
    response.end()
  })
  const { logger } = captureLog()
  logger.level = 'error'
  const service = createService({
    settings: loadSettings({
      environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR: t.testdir(), FORWARDERS: 'http', HTTP_FORWARDER_URL: destination.url, RETRY_MIN_MS: '1', RETRY_MAX_MS: '5' }
    }),
    logger,
    logDestination: { write: () => {}, flushed: async () => {} }
  })
  const { url } = await service.start()
  t.teardown(async () => { await service.close() })

  const startedAt = performance.now()
  const sender = new Pool(url, { connections: CUSTOMERS })
  t.teardown(async () => { await sender.destroy() })
  const bodyOf = moveBodies()
  await Promise.all(Array.from({ length: CUSTOMERS }, async (_, index) => {
    for (let move = 0; move < MOVES; move++) {
      const { statusCode, body } = await sender.request({ path: '/webhooks', method: 'POST', headers: { 'content-type': 'application/json' }, body: bodyOf(`cust_${index}`, move) })
      await body.dump()
      if (statusCode !== 202) t.fail(`answered ${statusCode}`)
    }
  }))
  const acceptedMs = performance.now() - startedAt
  const count = (): number => [...arrived.values()].reduce((sum, moves) => sum + moves.length, 0)
  while (count() < CUSTOMERS * MOVES && performance.now() - startedAt < 300_000) await sleep(20)

  t.equal(arrived.size, CUSTOMERS)
  const wanted = Array.from({ length: MOVES }, (_, move) => move)
  t.strictSame([...arrived].filter(([, moves]) => moves.join() !== wanted.join()), [])
  t.ok(destination.sockets.most <= 20)
  t.comment(`accepted in ${Math.round(acceptedMs)} ms, all there after ${Math.round(performance.now() - startedAt)} ms: ${requests} requests, at the most ${attempts.most} attempts at one`)
  await service.close()
  await destination.deserted()
})
