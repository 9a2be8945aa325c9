import { setTimeout as pause } from 'node:timers/promises'

const DEADLINE_MS = 120_000

/** Asks until the answer is not `undefined`, and resolves with it. Rejects after two minutes. */
export async function eventually<T> (question: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS
  for (;;) {
    const value = await question()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`Timed out waiting for ${what}`)
    await pause(5)
  }
}

/** Asks until the answer is `true`. Rejects after two minutes. */
export async function eventuallyTrue (question: () => boolean, what: string): Promise<void> {
  await eventually(() => question() ? true : undefined, what)
}
