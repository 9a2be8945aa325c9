import type { AcceptEngine } from './engine.js'

export interface WithdrawingOptions {
  readonly engine: Pick<AcceptEngine, 'withdraw'>
  /** Whether anything may be sent to the store. */
  readonly isOpen: () => boolean
  /** Called after each try, with whether nothing is left to withdraw. */
  readonly onTried: (done: boolean) => void
  readonly onDefect: (error: unknown) => void
}

/** Withdraws the deliveries that were refused but may be on disk, now or soon. Repeats until it succeeds. */
export interface Withdrawing {
  readonly add: (ids: readonly string[]) => void
  readonly has: (id: string) => boolean
  readonly size: () => number
  /** Sends the waiting ids, unless a withdrawal is in progress. */
  readonly send: () => void
  readonly end: () => void
}

/** How soon a failed withdrawal is tried again, in milliseconds. */
const RETRY_MS = 500

export function createWithdrawing ({ engine, isOpen, onTried, onDefect }: WithdrawingOptions): Withdrawing {
  const waiting = new Set<string>()
  let isSending = false
  let timer: NodeJS.Timeout | undefined

  function send (): void {
    if (waiting.size > 0 && !isSending) sendAll().catch(onDefect)
  }

  async function sendAll (): Promise<void> {
    clearTimeout(timer)
    if (!isOpen()) return
    isSending = true
    const ids = [...waiting]
    const failed = await engine.withdraw(ids).then(() => false, () => true)
    isSending = false
    if (failed) timer = setTimeout(() => { sendAll().catch(onDefect) }, RETRY_MS)
    else for (const id of ids) waiting.delete(id)
    if (!failed && waiting.size > 0) return await sendAll()
    onTried(!failed)
  }

  return {
    add (ids) {
      for (const id of ids) waiting.add(id)
      send()
    },
    has: (id) => waiting.has(id),
    size: () => waiting.size,
    send,
    end () { clearTimeout(timer) }
  }
}
