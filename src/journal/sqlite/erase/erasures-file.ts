import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { StoreError } from '../../../delivery/operator.js'
import type { Person } from '../../../delivery/operator-requests.js'
import { appendLines } from '../../../errors/append-lines.js'
import { giveToFolderOwner } from '../../../errors/give-to-folder-owner.js'
import { sync } from '../copies/draft.js'
import { codeOf } from '../database.js'

const LineSchema = Type.Object({
  at: Type.String(),
  by: Type.Union([Type.Literal('customer'), Type.Literal('source_id'), Type.Literal('email')]),
  digest: Type.String({ pattern: '^[0-9a-f]{64}$' })
})

/** The list of erased people, beside the database. It survives the loss of the database, and records each erasure. */
export function erasuresPath (dataDir: string): string {
  return join(dataDir, 'erasures.ndjson')
}

/**
 * Returns all people on the list; none if there is no list.
 * @throws {StoreError} if the list or a line of it cannot be read: otherwise the data of an erased person could come back
 */
export function readErasures (path: string): readonly Person[] {
  if (!existsSync(path)) return []
  return usable(path, () => readFileSync(path, 'utf8')).split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const value = parse(line)
    if (Value.Check(LineSchema, value)) return [{ by: value.by, digest: value.digest }]
    throw new StoreError('STORE_DAMAGED', `Line ${index + 1} of the list of erased people ${path} cannot be read: mend or remove that line`)
  })
}

/**
 * Adds people to the list, unless they are on it already. The list is on disk when this returns.
 * @throws {StoreError} if that fails
 */
export function rememberErasures (dataDir: string, people: readonly Person[], now: number): void {
  const path = erasuresPath(dataDir)
  const there = readErasures(path)
  const isThere = ({ by, digest }: Person): boolean => there.some((each) => each.by === by && each.digest === digest)
  const lines = people.filter((person) => !isThere(person)).map(({ by, digest }) => `${JSON.stringify({ at: new Date(now).toISOString(), by, digest })}\n`)
  if (lines.length === 0) return
  usable(path, () => {
    append(path, dataDir, lines.join(''))
    sync(dataDir)
  })
}

function append (path: string, dataDir: string, text: string): void {
  const file = openSync(path, 'a+', 0o640)
  try {
    giveToFolderOwner(file, dataDir)
    const { size } = fstatSync(file)
    try {
      appendLines(file, text)
      fsyncSync(file)
    } catch (error) {
      // Half a line would make every later erasure fail.
      ftruncateSync(file, size)
      throw error
    }
  } finally {
    closeSync(file)
  }
}

function usable<T> (path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new StoreError('STORE_READ_ONLY', `The list of erased people ${path} cannot be read or written (${codeOf(error) ?? 'for an unknown reason'}): look for room, and run as the user that the service runs as`, error)
  }
}

function parse (line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // The schema rejects it.
    return undefined
  }
}
