import { defaultValues, httpOptions } from '../../../../src/config/forwarder-options.js'
import { argv, env } from 'node:process'
import type { Outcome } from '../../../../src/delivery/forwarder.js'
import { createHttpForwarder } from '../../../../src/forwarders/http/http-forwarder.js'
import { attempt } from './forwarder.js'

// A process of its own, because it is at its start that Node reads whom to trust. Prints what became of the attempts, one after another.
const [, , url = '', count = '1'] = argv
const forwarder = createHttpForwarder({
  name: 'http',
  url,
  ...defaultValues(httpOptions),
  concurrency: 1,
  timeoutMs: 5000,
  retryAfterMaxMs: 1000,
  headers: [],
  permanentStatus: [],
  version: '1.2.3',
  environment: env,
  now: Date.now
})
const outcomes: Outcome[] = []
while (outcomes.length < Number(count)) outcomes.push(await attempt(forwarder))
console.log(JSON.stringify(outcomes))
await forwarder.close?.()
