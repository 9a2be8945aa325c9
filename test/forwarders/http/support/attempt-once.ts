import { argv, env } from 'node:process'
import { createHttpForwarder } from '../../../../src/forwarders/http/http-forwarder.js'
import { attempt } from './forwarder.js'

// A process of its own, because it is at its start that Node reads whom to trust. Prints what became of one attempt.
const [, , url = ''] = argv
const forwarder = createHttpForwarder({
  name: 'http',
  url,
  format: 'voucherify',
  order: 'customer',
  concurrency: 1,
  timeoutMs: 5000,
  retryAfterMaxMs: 1000,
  secrets: [],
  headers: [],
  permanentStatus: [],
  version: '1.2.3',
  environment: env,
  now: Date.now
})
console.log(JSON.stringify(await attempt(forwarder)))
await forwarder.close?.()
