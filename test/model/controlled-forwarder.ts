import type { Attempt, Forwarder, ForwardResult, Outcome } from '../../src/delivery/forwarder.js'
import type { History, Sink } from './history.js'

/** How a destination answers. `mixed`: one outcome after another over a batch. */
export const answers = ['forwarded', 'retry', 'retry later', 'dead', 'mixed', 'throws', 'nonsense', 'too few', 'hangs'] as const
export type DestinationAnswer = typeof answers[number]

/** What became of each attempt of one call. */
interface Call {
  readonly attempts: readonly Attempt[]
  readonly answer: (answer: DestinationAnswer) => void
}

export interface ControlledForwarder {
  readonly forwarder: Forwarder
  /** Answers the call that waits longest, or the next one where none waits. */
  readonly answer: (answer: DestinationAnswer) => void
  /** From now on everything is forwarded at once. */
  readonly heal: () => void
  /** The process has died: nothing that comes is taken note of. */
  readonly die: () => void
}

export type Shape = Pick<Forwarder, 'name' | 'order' | 'concurrency' | 'batchSize'>

const TIMEOUT_MS = 5000
const RETRY_LATER_MS = 90_000

/** A forwarder whose destination answers when, and as, it is told. */
export function controlledForwarder ({ name, order, concurrency, batchSize }: Shape, sink: Sink, history: History): ControlledForwarder {
  const waiting: Call[] = []
  const script: DestinationAnswer[] = []
  let healed = false
  let dead = false

  function outcomesOf (answer: DestinationAnswer, count: number): Outcome[] {
    const outcomes: Outcome[] = [{ status: 'retry', reason: 'not now' }, { status: 'forwarded' }, { status: 'dead', reason: 'never' }]
    const all = (outcome: Outcome): Outcome[] => Array.from({ length: count }, () => outcome)
    switch (answer) {
      case 'forwarded': return all({ status: 'forwarded' })
      case 'retry': return all({ status: 'retry', reason: 'not now' })
      case 'retry later': return all({ status: 'retry', reason: 'status 429', afterMs: RETRY_LATER_MS })
      case 'dead': return all({ status: 'dead', reason: 'never' })
      case 'mixed': return Array.from({ length: count }, (_, index): Outcome => outcomes[index % outcomes.length] ?? { status: 'forwarded' })
      default: return []
    }
  }

  async function forward (attempts: readonly Attempt[], { signal }: { readonly signal: AbortSignal }): Promise<ForwardResult> {
    if (dead) return await new Promise(() => {})
    for (const attempt of attempts) history.begin(sink, attempt)
    return await new Promise((resolve, reject) => {
      let over = false
      function finish (outcomes: readonly Outcome[]): void {
        over = true
        attempts.forEach((attempt, index) => { history.end(sink, attempt, outcomes[index]) })
      }
      signal.addEventListener('abort', () => {
        const at = waiting.indexOf(call)
        if (at >= 0) waiting.splice(at, 1)
        if (!over && !dead) finish([])
      })
      const call: Call = {
        attempts,
        answer (answer) {
          if (answer === 'hangs') return
          const outcomes = outcomesOf(answer, attempts.length)
          finish(outcomes)
          if (answer === 'throws') reject(new Error('the destination broke'))
          else if (answer === 'nonsense') resolve('nonsense' as unknown as ForwardResult)
          else if (answer === 'too few') resolve({ outcomes: outcomes.slice(1) })
          else resolve({ outcomes })
        }
      }
      const answer = healed ? 'forwarded' : script.shift()
      if (answer === undefined) waiting.push(call)
      else call.answer(answer)
    })
  }

  return {
    forwarder: { name, order, concurrency, batchSize, timeoutMs: TIMEOUT_MS, forward },
    answer (answer) {
      const call = waiting.shift()
      if (call === undefined) script.push(answer)
      else call.answer(answer)
    },
    heal () {
      healed = true
      for (const call of waiting.splice(0)) call.answer('forwarded')
    },
    die () { dead = true }
  }
}
