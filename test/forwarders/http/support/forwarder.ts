import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { defaultValues, httpOptions } from '../../../../src/config/forwarder-options.js'
import type { Delivery } from '../../../../src/delivery/delivery.js'
import type { Attempt, Forwarder, Outcome } from '../../../../src/delivery/forwarder.js'
import { createHttpForwarder, type HttpForwarderOptions } from '../../../../src/forwarders/http/http-forwarder.js'
import { sampleDelivery } from '../../../support/sample-delivery.js'
import type { Teardown } from './servers.js'

/** A forwarder as the settings make it without anything set; closed with the test. */
export function forwarderTo (t: Teardown, url: string, options: Partial<HttpForwarderOptions> = {}): Forwarder {
  const forwarder = createHttpForwarder({
    name: 'http',
    url,
    ...defaultValues(httpOptions),
    concurrency: 4,
    timeoutMs: 5000,
    retryAfterMaxMs: 300_000,
    headers: [],
    version: '1.2.3',
    environment: {},
    now: Date.now,
    ...options
  })
  t.teardown(async () => { await forwarder.close?.() })
  return forwarder
}

export function attemptAt (delivery: Partial<Delivery> = {}, attempt: Partial<Attempt> = {}): Attempt {
  return { delivery: sampleDelivery(delivery), number: 1, replay: false, ...attempt }
}

/** Makes one attempt and gives what became of it. */
export async function attempt (forwarder: Forwarder, given: Attempt = attemptAt(), signal: AbortSignal = new AbortController().signal): Promise<Outcome> {
  const { outcomes: [outcome] } = await forwarder.forward([given], { signal })
  if (outcome === undefined) throw new Error('there is no outcome')
  return outcome
}

/** Attempts one after another in a process of its own, with variables of its own, and what became of them. */
export async function attemptWith (url: string, environment: Record<string, string>, count = 1): Promise<unknown> {
  const child = spawn(process.execPath, [...process.execArgv, new URL('attempt-alone.ts', import.meta.url).pathname, url, String(count)], {
    env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit']
  })
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  const outcomes: unknown = JSON.parse(output)
  return outcomes
}
