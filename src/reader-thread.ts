import { systemClock } from './delivery/clock.js'
import { createReader } from './journal/sqlite/reader.js'
import { serveThread } from './journal/sqlite/thread.js'
import { locateEvent } from './voucherify/event-text.js'

serveThread(createReader({ now: systemClock.now, locateEvent }))
