import { readFile } from 'node:fs/promises'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Clock } from '../delivery/clock.js'
import { replaceFile } from '../errors/replace-file.js'

const NoteSchema = Type.Object({
  version: Type.Literal(1),
  webhooks: Type.Array(Type.Object({ id: Type.String({ maxLength: 128 }), at: Type.Number({ minimum: 0, maximum: 8.64e15 }) }), { maxItems: 1000 })
})

/** What the note is called in the data folder. */
export const SWITCHED_ON_FILE = 'webhook-switched-on.json'

const HOUR_MS = 3_600_000
const MOST_WEBHOOKS = 100

export interface SwitchOnLimitOptions {
  /** Where it is noted what was switched on when, for the next start. */
  readonly path: string
  readonly clock: Clock
}

export type Taken =
  | { readonly ok: true }
  | { readonly ok: false, readonly reason: string }

/** Lets each webhook be switched on once an hour, also across restarts. */
export interface SwitchOnLimit {
  /**
   * Takes the turn of a webhook, if it has one. It is on disk before this resolves: whoever dies afterwards and before switching it on
   * waits for an hour too.
   */
  readonly take: (webhookId: string) => Promise<Taken>
}

export function createSwitchOnLimit ({ path, clock }: SwitchOnLimitOptions): SwitchOnLimit {
  /** When each may be switched on again, by the monotonic clock: a wall clock that is set changes nothing. */
  let nextAt: Map<string, number> | undefined
  /** Of all, where the note of earlier runs cannot be read. */
  let allAt = -Infinity

  async function load (): Promise<Map<string, number>> {
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'))
      if (!Value.Check(NoteSchema, value)) throw new Error('It is no such note')
      // A time in the future is a wrong clock's, and counts as now.
      return new Map(value.webhooks.map(({ id, at }) => [id, clock.monotonic() + HOUR_MS - Math.max(0, clock.now() - at)]))
    } catch (error) {
      const isFirst = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isFirst) allAt = clock.monotonic() + HOUR_MS
      return new Map()
    }
  }

  function note (times: ReadonlyMap<string, number>): string {
    const webhooks = [...times].map(([id, next]) => ({ id, at: Math.round(clock.now() - HOUR_MS + (next - clock.monotonic())) }))
    return JSON.stringify({ version: 1, webhooks })
  }

  return {
    async take (webhookId) {
      nextAt ??= await load()
      const now = clock.monotonic()
      const next = nextAt.get(webhookId) ?? -Infinity
      if (now < next) return { ok: false, reason: `It was switched on within the last hour. tierhook does so again after ${isoIn(next - now)} at the earliest.` }
      if (now < allAt) return { ok: false, reason: `The note of when it was switched on last cannot be read (${path}). tierhook waits until ${isoIn(allAt - now)}.` }
      const times = new Map([...nextAt].filter(([, at]) => at > now))
      if (times.size >= MOST_WEBHOOKS) return { ok: false, reason: `${MOST_WEBHOOKS} webhooks were switched on within the last hour.` }
      times.set(webhookId, now + HOUR_MS)
      try {
        await replaceFile(path, note(times))
      } catch (error) {
        return { ok: false, reason: `It cannot be noted on disk that it is switched on: ${error instanceof Error ? error.message : String(error)}` }
      }
      nextAt = times
      return { ok: true }
    }
  }

  function isoIn (ms: number): string {
    return new Date(clock.now() + ms).toISOString()
  }
}
