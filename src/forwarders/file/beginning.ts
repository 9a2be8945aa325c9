import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { fits, readTail } from './file-position.js'

/**
 * The beginning record says from which place on the lines of a file are ours. It is written beside the event file before the first line.
 * A crash before the first commit leaves lines that no committed position covers. With the record, recovery can tell these lines from
 * older contents and cut them off.
 */
const PlaceSchema = Type.Object({
  inode: Type.String(),
  bytes: Type.Integer({ minimum: 0 }),
  tail: Type.Integer()
})

const BeginningSchema = Type.Object({
  id: Type.String(),
  ...PlaceSchema.properties,
  /** Where our lines begin, if they begin in a file that was rotated away. Present while some of those lines may be uncommitted. */
  first: Type.Optional(PlaceSchema)
})

/** A place in a file. The inode and a checksum of the bytes before the place identify the file. */
export type Place = Static<typeof PlaceSchema>
export type Beginning = Static<typeof BeginningSchema>

function pathOf (path: string): string {
  return `${path}.beginning`
}

/**
 * Records that the file's lines from `bytes` on are ours.
 * @param first where our lines begin, if that is in a file that was rotated away
 */
export async function begin (path: string, file: FileHandle, bytes: number, first?: Place): Promise<Beginning> {
  const beginning: Beginning = { id: randomUUID(), inode: await inodeOf(file), bytes, tail: await readTail(file, bytes), ...first === undefined ? {} : { first } }
  const draft = await open(`${pathOf(path)}.new`, 'w', 0o640)
  try {
    await draft.writeFile(JSON.stringify(beginning))
    await draft.sync()
  } finally {
    await draft.close()
  }
  await rename(`${pathOf(path)}.new`, pathOf(path))
  await syncFolder(path)
  return beginning
}

/** Reads the latest beginning record, which may belong to another file than the present one. */
export async function readBeginning (path: string): Promise<Beginning | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(pathOf(path), 'utf8'))
    return Value.Check(BeginningSchema, value) ? value : undefined
  } catch {
    // There is no record, or it cannot be read.
    return undefined
  }
}

/** Whether a place belongs to this file. */
export async function isPlaceIn (file: FileHandle, place: Place): Promise<boolean> {
  return place.inode === await inodeOf(file) && await fits(file, place)
}

/** Removes the record. To be called when some line after the beginning is surely committed: from then on the committed position is enough. */
export async function forgetBeginning (path: string): Promise<void> {
  await rm(pathOf(path), { force: true })
}

/** Flushes the folder of `path` to disk, so that created and renamed files keep their names after a crash. */
export async function syncFolder (path: string): Promise<void> {
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function inodeOf (file: FileHandle): Promise<string> {
  const { dev, ino } = await file.stat({ bigint: true })
  return `${dev}:${ino}`
}
