import { eventually } from './eventually.js'
import type { LogLine } from './capture-log.js'

export interface CapturedLines {
  readonly lines: readonly LogLine[]
  readonly write: (lines: string) => void
  readonly flushed: () => Promise<void>
  /** Resolves with the first line that fits, as soon as there is one. */
  readonly find: (fits: (line: LogLine) => boolean) => Promise<LogLine>
}

/** Makes a destination that keeps its log lines. */
export function captureLines (): CapturedLines {
  const lines: LogLine[] = []
  return {
    lines,
    write (text) { for (const line of text.trimEnd().split('\n')) lines.push(JSON.parse(line)) },
    async flushed () {},
    find: async (fits) => await eventually(() => lines.find(fits), 'a log line')
  }
}
