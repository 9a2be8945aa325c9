import { systemClock } from './delivery/clock.js'
import { serveThread } from './journal/sqlite/thread.js'
import { createWriter } from './journal/sqlite/writer.js'
import { locateEvent } from './voucherify/event-text.js'

serveThread(createWriter({ now: systemClock.now, locateEvent }))
