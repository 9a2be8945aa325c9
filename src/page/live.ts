import { authorization } from './api.js'

export interface LiveOptions {
  /** Called after something changed. */
  readonly onChange: () => void
  readonly onState: (state: 'live' | 'waiting') => void
  /** Whether to connect: not while the token is known to be wrong, because every request with it counts as one more wrong token. */
  readonly isAsked: () => boolean
}

const RETRY_MS = 2000
/** The service sends a comment every 15 s. */
const SILENT_MS = 40_000

/** Follows the server-sent events while the page is open. Reads the stream itself, because `EventSource` cannot send a token. */
export async function followChanges ({ onChange, onState, isAsked }: LiveOptions): Promise<never> {
  for (;; await new Promise((resolve) => { setTimeout(resolve, RETRY_MS) })) {
    if (!isAsked()) continue
    const silence = new AbortController()
    try {
      const response = await fetch('/api/events', { headers: { ...authorization(), accept: 'text/event-stream' }, signal: silence.signal })
      if (response.ok && response.body !== null) {
        onState('live')
        // Fetch what changed while the stream was not connected.
        onChange()
        await readEvents(response.body, onChange, silence)
      }
    } catch {
      // The service is unreachable. The loop tries again.
    }
    onState('waiting')
  }
}

async function readEvents (body: ReadableStream<Uint8Array>, onChange: () => void, silence: AbortController): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let rest = ''
  for (;;) {
    const timer = setTimeout(() => { silence.abort() }, SILENT_MS)
    const { done, value } = await reader.read().finally(() => { clearTimeout(timer) })
    if (done) return
    const events = (rest + value).split('\n\n')
    rest = events.pop() ?? ''
    if (events.some((event) => /^event: changed$/m.test(event))) onChange()
  }
}
