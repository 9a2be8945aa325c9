import { authorization } from './api.js'

export interface LiveOptions {
  /** Something has changed. */
  readonly onChange: () => void
  readonly onState: (state: 'live' | 'waiting') => void
  /** Whether the token may be right: each question with a wrong one is one more wrong token. */
  readonly isAsked: () => boolean
}

const RETRY_MS = 2000
/** The service says every 15 s that it is still there. */
const SILENT_MS = 40_000

/**
 * Follows the server's events for as long as the page is open. It reads the stream itself, since `EventSource` can send no token.
 */
export async function followChanges ({ onChange, onState, isAsked }: LiveOptions): Promise<never> {
  for (;; await new Promise((resolve) => { setTimeout(resolve, RETRY_MS) })) {
    if (!isAsked()) continue
    const silence = new AbortController()
    try {
      const response = await fetch('/api/events', { headers: { ...authorization(), accept: 'text/event-stream' }, signal: silence.signal })
      if (response.ok && response.body !== null) {
        onState('live')
        // What happened while nobody listened.
        onChange()
        await readEvents(response.body, onChange, silence)
      }
    } catch {
      // The service is away: it is tried again.
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
