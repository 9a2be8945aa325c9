import { readFile } from 'node:fs/promises'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Clock } from '../delivery/clock.js'
import { replaceFile } from '../errors/replace-file.js'

const NoteSchema = Type.Object({
  version: Type.Literal(1),
  webhooks: Type.Array(Type.Object({ id: Type.String({ maxLength: 128 }), at: Type.Number({ minimum: 0, maximum: 8.64e15 }) }), { maxItems: 1000 })
})

/** The file's name in the data folder. */
export const SWITCHED_ON_FILE = 'webhook-switched-on.json'

const HOUR_MS = 3_600_000
const MAX_WEBHOOKS = 100

export interface SwitchOnLimitOptions {
  /** The file that records when each webhook was switched on, for the next start. */
  readonly path: string
  readonly clock: Clock
}

export type Taken =
  | { readonly ok: true }
  | { readonly ok: false, readonly reason: string }

/** Allows each webhook to be switched on once an hour, even across restarts. */
export interface SwitchOnLimit {
  /**
   * Takes the webhook's turn, if it has one. The turn is on disk before this resolves. If the process dies before it switches the webhook on,
   * the webhook waits for an hour too.
   */
  readonly take: (webhookId: string) => Promise<Taken>
}

export function createSwitchOnLimit ({ path, clock }: SwitchOnLimitOptions): SwitchOnLimit {
  /** When each webhook may be switched on again, in monotonic time, which does not change when the wall clock is set. */
  let nextAt: Map<string, number> | undefined
  /** When any webhook may be switched on, if the file of earlier runs cannot be read. */
  let allAt = -Infinity

  async function load (): Promise<Map<string, number>> {
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'))
      if (!Value.Check(NoteSchema, value)) throw new Error('It is no such note')
      // A time in the future comes from a wrong clock, and counts as now.
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
      if (times.size >= MAX_WEBHOOKS) return { ok: false, reason: `${MAX_WEBHOOKS} webhooks were switched on within the last hour.` }
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
