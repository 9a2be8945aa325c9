import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after a time, or as soon as the signal aborts. */
export async function pause (ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

/**
 * Resolves to the result of `work`, or to `undefined` if `work` takes longer than `ms` milliseconds. `work` then goes on without being waited
 * for. A rejection within the time is passed on, and a later one is ignored.
 */
export async function within<T> (ms: number, work: Promise<T>): Promise<T | undefined> {
  return await race(ms, work, () => undefined)
}

/** Like `within`, but rejects with the error that `late` makes if the time is over. */
export async function inTime<T> (ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return await race(ms, work, () => { throw late() })
}

async function race<T, L> (ms: number, work: Promise<T>, onLate: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => { timer = setTimeout(resolve, Math.max(0, ms)) }).then(onLate)
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
