import type { HostedDelivery } from './delivery-host.js'

/** How often the thread is asked to respond, and after how long without a response it counts as hanging, in milliseconds. */
const LOOK_MS = 10_000
const HANG_MS = 120_000

/** Ends a deliver thread that hangs in the code of a custom forwarder, because nothing else would end it. Returns a function that ends the watch. */
export function watchForHang (delivery: Pick<HostedDelivery, 'respond' | 'abort'>): () => void {
  let silent = 0
  const timer = setInterval(() => {
    // Count checks and not elapsed time: after a pause of the whole process, the thread must get its full time again.
    const silentMs = ++silent * LOOK_MS
    if (silentMs > HANG_MS) delivery.abort(new Error(`The thread has not responded for ${silentMs / 1000} s: a custom forwarder computes without a pause`))
    else delivery.respond().then(() => { silent = 0 }, () => undefined)
  }, LOOK_MS)
  return () => { clearInterval(timer) }
}
