import type { Observer } from '../delivery/observation.js'

/** Tells several what happens, in their order. */
export function combineObservers (observers: readonly Observer[]): Required<Observer> {
  const webhook = observers.flatMap(({ webhookAnswered }) => webhookAnswered ?? [])
  const attempts = observers.flatMap(({ attemptsEnded }) => attemptsEnded ?? [])
  const commit = observers.flatMap(({ committed }) => committed ?? [])
  return {
    webhookAnswered (answer) { for (const each of webhook) each(answer) },
    attemptsEnded (ended) { for (const each of attempts) each(ended) },
    committed (ended) { for (const each of commit) each(ended) }
  }
}
