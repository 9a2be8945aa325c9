import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { historyPath } from '../../src/history/history-file.js'
import type { Slot } from '../../src/history/history.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { PROCESS_SECRET, startServiceProcess, type ServiceProcess } from './service-process.js'

export interface TroubledService {
  readonly service: ServiceProcess
  readonly adminUrl: string
}

const types = ['customer.loyalty.tier.upgraded', 'customer.loyalty.tier.joined', 'customer.loyalty.tier.prolonged', 'customer.loyalty.tier.downgraded', 'customer.loyalty.tier.left'] as const

/** Characters that the fonts of test machines lack. */
const UNSEEN = /[\p{Script=Han}\p{Script=Hiragana}\p{Extended_Pictographic}]/u

/**
 * Starts a service after a day of trouble. It has six forwarders, one of which refuses everything and one of which is down, deliveries in
 * quarantine, and a day of history.
 */
export async function startTroubledService (t: Test, { deliveries, environment = {} }: { readonly deliveries: number, readonly environment?: Readonly<Record<string, string>> }): Promise<TroubledService> {
  const good = await httpDestination(t, (_request, response) => { response.writeHead(204).end() })
  const refusing = await httpDestination(t, (_request, response) => { response.writeHead(410).end('The gift is gone') })
  const failing = await httpDestination(t, (_request, response) => { response.writeHead(503).end('Down for maintenance') })
  const dataDir = t.testdir({})
  const forwarders = [
    { name: 'audit', type: 'file', path: 'events_of_the_loyalty_programme_kept_for_the_auditors.ndjson' },
    { name: 'crm', type: 'http', url: failing.url },
    { name: 'gifts', type: 'http', url: refusing.url, events: ['customer.loyalty.tier.upgraded'] },
    { name: 'mail', type: 'http', url: good.url },
    { name: 'push', type: 'http', url: good.url },
    { name: 'warehouse', type: 'http', url: good.url }
  ]
  const file = join(dataDir, 'forwarders.json')
  writeFileSync(file, JSON.stringify(forwarders))
  writeFileSync(historyPath(dataDir), JSON.stringify(aDay(forwarders.map(({ name }) => name))))
  const adminPort = await freePort()
  const service = await startServiceProcess(dataDir, {
    ADMIN_PORT: String(adminPort), FORWARDERS: '', FORWARDERS_FILE: file, EXPECT_EVENT_WITHIN: '*=24h,customer.loyalty.tier.*=7d', PAGE_SHOWS_NAMES: 'true', RETRY_MIN_MS: '1000', ...environment
  })
  t.teardown(async () => { await service.kill('SIGTERM') })
  for (let index = 0; index < 3; index++) {
    const { data, ...envelope } = sampleEnvelope('customer.loyalty.tier.joined', { index: index * 5, seed: 'broken', now: new Date() })
    await postSigned(service.url, JSON.stringify({ ...envelope, data: { ...data, loyalty_tier: { name: 'no id' } } }))
  }
  for (let index = 0, posted = 0; posted < deliveries; index++) {
    const type = types[posted % types.length] ?? types[0]
    const body = JSON.stringify(sampleEnvelope(type, { index, seed: 'troubled', now: new Date() }))
    if (UNSEEN.test(body)) continue
    await postSigned(service.url, body)
    posted++
  }
  return { service, adminUrl: `http://127.0.0.1:${adminPort}` }
}

async function postSigned (url: string, body: string): Promise<void> {
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  const { status } = await fetch(new URL('/webhooks', url), { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature } })
  if (status !== 202) throw new Error(`answered ${status}`)
}

/** Makes the stored history of a day with two bursts. */
function aDay (names: readonly string[]): object {
  const now = Date.now()
  const slots = (count: number, everyMs: number): Slot[] => Array.from({ length: count }, (_, index) => {
    const at = (Math.floor(now / everyMs) - count + index) * everyMs
    const burst = 1 + 3 * Math.exp(-(((index - count * 0.3) / 9) ** 2)) + 5 * Math.exp(-(((index - count * 0.75) / 5) ** 2))
    const scale = burst * everyMs / 60_000
    return {
      at,
      events: Object.fromEntries(types.map((type, place) => [type, Math.round(scale * (1.5 + Math.sin(index / 7 + place)) / (place + 1))])),
      forwarders: Object.fromEntries(names.map((name, place) => {
        const count = Math.round(scale * 4)
        const isDown = name === 'crm' && index > count * 0.8
        return [name, { forwarded: name === 'gifts' ? 0 : count, retry: isDown ? 3 : 0, dead: name === 'gifts' ? 1 : 0, durations: { [14 + place]: count, [22 + place]: 1 }, backlog: isDown ? (index % 40) * 3 : place === 3 ? Math.round(burst) : 0 }]
      }))
    }
  })
  return { version: 1, hour: slots(60, 60_000), day: slots(288, 300_000), failing: { crm: now - 13 * 60_000 } }
}
