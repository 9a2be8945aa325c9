import { setTimeout as pause } from 'node:timers/promises'

const DEADLINE_MS = 120_000

/** The first value other than `undefined` that the question gives; asked again until then, and not for ever. */
export async function eventually<T> (question: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS
  for (;;) {
    const value = await question()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}`)
    await pause(5)
  }
}

/** Resolves once the question is answered with yes; asked again until then, and not for ever. */
export async function eventuallyTrue (question: () => boolean, what: string): Promise<void> {
  await eventually(() => question() ? true : undefined, what)
}
