import { Agent, type ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { postEvent, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

const CONNECTIONS = 32

/** A destination that counts how often it got each event, and answers as the test says. */
async function startDestination (t: Test, answer: (eventId: string, response: ServerResponse) => void) {
  const got = new Map<string, number>()
  const { url } = await httpDestination(t, ({ body }, response) => {
    const { event: { id } } = JSON.parse(body.toString()) as { readonly event: { readonly id: string } }
    got.set(id, (got.get(id) ?? 0) + 1)
    answer(id, response)
  })
  return { url, got, hasAll: (ids: readonly string[]) => ids.every((id) => got.has(id)) ? true : undefined }
}

async function start (t: Test, dataDir: string, environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const service = await startServiceProcess(dataDir, { FORWARDERS: 'http', ...environment })
  t.teardown(async () => { await service.kill('SIGKILL') })
  return service
}

async function sendAll ({ url }: ServiceProcess, ids: readonly string[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  let next = 0
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) {
      const { status } = await postEvent(url, id, agent)
      if (status !== 202) throw new Error(`${id} was answered ${status}`)
    }
  }))
  agent.destroy()
}

const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}_${index}`)

t.test('eleven thousand events that wait for a retry delay no other customer\'s, before a restart and after it', async (t) => {
  const dataDir = t.testdir()
  const destination = await startDestination(t, (id, response) => {
    if (id.startsWith('bad')) response.writeHead(503, { 'retry-after': '3600' }).end()
    else response.end()
  })
  const environment = { HTTP_FORWARDER_URL: destination.url, RETRY_MIN_MS: '100' }
  const service = await start(t, dataDir, environment)
  const bad = named('bad', 11_000)
  // One success for each failure, so that the breaker stays closed.
  await sendAll(service, bad.flatMap((id) => [id, `good_${id}`]))
  await eventually(() => destination.hasAll(bad), 'the first attempt of each failing event')
  for (const [when, running] of [['before', service], ['after', undefined]] as const) {
    const others = named(`other_${when}`, 1000)
    const current = running ?? await start(t, dataDir, environment)
    await sendAll(current, others)
    const sentAt = performance.now()
    await eventually(() => destination.hasAll(others), `a thousand events of other customers, ${when} a restart`)
    t.ok(performance.now() - sentAt < 10_000, `the events arrived within ten seconds, ${when} a restart`)
    await current.kill('SIGKILL')
  }
  t.ok(bad.every((id) => destination.got.get(id) === 1), 'no failing delivery is retried before its time')
})

t.test('one hanging call and six thousand others, through kill -9: at most three hundred of them are forwarded again', async (t) => {
  const dataDir = t.testdir()
  const destination = await startDestination(t, (id, response) => { if (id !== 'hanging') response.end() })
  const adminPort = await freePort()
  const environment = { HTTP_FORWARDER_URL: destination.url, ADMIN_PORT: String(adminPort), HTTP_FORWARDER_TIMEOUT_MS: '600000' }
  const service = await start(t, dataDir, environment)
  await sendAll(service, ['hanging'])
  await eventually(() => destination.hasAll(['hanging']), 'the hanging request')
  const others = named('other', 6000)
  await sendAll(service, others)
  await eventually(() => destination.hasAll(others), 'all other events')
  // Only the hanging call is unfinished. If it blocked the cursor, this would not come true before its time is over.
  await eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/api/forwarders`)
    const { forwarders } = await response.json() as { readonly forwarders: ReadonlyArray<{ readonly pending: number, readonly retrying: number }> }
    return forwarders[0]?.retrying === 1 && forwarders[0].pending < 300 ? true : undefined
  }, 'the hanging request not to hold back the cursor')
  await service.kill('SIGKILL')
  const before = destination.got.get('hanging')
  const again = await start(t, dataDir, environment)
  await eventually(() => (destination.got.get('hanging') ?? 0) > (before ?? 0) ? true : undefined, 'the hanging request to be made again')
  const last = named('last', 1)
  await sendAll(again, last)
  await eventually(() => destination.hasAll(last), 'one more event')
  const twice = others.filter((id) => (destination.got.get(id) ?? 0) > 1).length
  t.comment(`${twice} forwarded again`)
  t.ok(twice <= 300, `${twice} forwarded again`)
})
