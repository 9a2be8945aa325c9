import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Logger } from 'pino'
import { keepFile, readKeptFile } from '../kept-file/keep-file.js'
import type { RegularSaves } from '../kept-file/save-regularly.js'
import { spans, type History, type KeptHistory } from './history.js'

const LARGEST_BYTES = 33_554_432
const SAVE_EVERY_MS = 60_000

const Time = Type.Number({ minimum: 0, maximum: 8.64e15 })
const Count = Type.Integer({ minimum: 0 })
const Name = Type.String({ maxLength: 200 })
const Slots = (most: number) => Type.Array(Type.Object({
  at: Time,
  events: Type.Record(Name, Count),
  forwarders: Type.Record(Name, Type.Object({ forwarded: Count, retry: Count, dead: Count, durations: Type.Record(Name, Count), backlog: Type.Optional(Count) }))
}), { maxItems: most + 1 })

const HistorySchema = Type.Object({ version: Type.Literal(1), hour: Slots(spans.hour.slots), day: Slots(spans.day.slots), failing: Type.Record(Name, Time) })

export function historyPath (dataDir: string): string {
  return join(dataDir, 'history.json')
}

/**
 * Reads the history of earlier runs; `undefined` if there is none yet.
 * @throws if the file cannot be read, or is damaged
 */
export async function readHistory (dataDir: string): Promise<KeptHistory | undefined> {
  const text = await readKeptFile(historyPath(dataDir), LARGEST_BYTES)
  if (text === undefined) return undefined
  const value: unknown = JSON.parse(text)
  if (!Value.Check(HistorySchema, value)) throw new Error('It is not a file of history of this version')
  return value
}

export interface KeepHistoryOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly history: Pick<History, 'keep'>
  readonly everyMs?: number
}

/** Keeps the history in a file for the next run. */
export function keepHistory ({ dataDir, logger, history, everyMs = SAVE_EVERY_MS }: KeepHistoryOptions): RegularSaves {
  return keepFile({
    path: historyPath(dataDir),
    text: () => JSON.stringify({ version: 1, ...history.keep() }),
    everyMs,
    onNotKept: (fields) => { logger.warn(fields, 'history not kept') },
    onFailure: (error) => { logger.error({ err: error }, 'history failed') }
  })
}
