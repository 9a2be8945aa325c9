import { systemClock } from '../delivery/clock.js'
import { parseFilter } from '../forwarders/delivery-filter.js'
import { createOperatorApi } from '../journal/sqlite/operator.js'
import { serveThread } from '../threads/serve-thread.js'
import { createJudge } from '../voucherify/judge.js'

serveThread(createOperatorApi({ judge: createJudge(), parseFilter, now: systemClock.now }))
