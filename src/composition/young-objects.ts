import { setFlagsFromString } from 'node:v8'

/**
 * Makes V8 allocate all objects in the young generation, where each is collected soon after its last use. Otherwise V8 allocates objects
 * directly in the old generation if most earlier objects from the same place in the code survived for a while, for example the deliveries of a
 * burst that waited for a forwarder. V8 does so until the process ends, and everything that such an object refers to is then kept until the next
 * full collection.
 * Measured in warm processes: a destination that hangs changed the 99th percentile of the time to accept by a factor of 1.08 to 1.19 without
 * this flag, and 0.93 to 0.97 with it.
 * Applies to the whole process with its threads.
 */
export function keepObjectsYoung (): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
