import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface FileLine {
  readonly id: string
  readonly replay: boolean
}

export const EVENT_FILE = 'events.ndjson'

/** The lines of the event file and of what was rotated away from it, in order; what is no whole line is left out. */
export function readFileLines (dataDir: string): readonly FileLine[] {
  if (!existsSync(dataDir)) return []
  const rotated = readdirSync(dataDir).filter((name) => /^events\.ndjson\.\d{8}T/.test(name)).sort()
  return [...rotated, EVENT_FILE].filter((name) => existsSync(join(dataDir, name))).flatMap((name) => {
    const text = readFileSync(join(dataDir, name), 'utf8')
    return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => {
      const { id, replay }: { id: string, replay?: boolean } = JSON.parse(line)
      return { id, replay: replay === true }
    })
  })
}
