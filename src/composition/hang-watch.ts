import type { HostedDelivery } from './delivery-host.js'

/** How often it is looked whether they respond, and how long they may not, in milliseconds. */
const LOOK_MS = 10_000
const HANG_MS = 120_000

/** Ends those who forward where they hang in somebody's code: nothing else would. Returns what ends the watch. */
export function watchForHang (delivery: Pick<HostedDelivery, 'respond' | 'abort'>): () => void {
  let silent = 0
  const timer = setInterval(() => {
    // Looks are counted and not time: a process that was stopped for a while finds its threads as they were.
    const silentMs = ++silent * LOOK_MS
    if (silentMs > HANG_MS) delivery.abort(new Error(`The thread has not responded for ${silentMs / 1000} s: a custom forwarder computes without a pause`))
    else delivery.respond().then(() => { silent = 0 }, () => undefined)
  }, LOOK_MS)
  return () => { clearInterval(timer) }
}
