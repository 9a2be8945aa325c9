import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { fits, readTail } from './file-position.js'

/**
 * From where on a file is ours, written down beside it before the first line is written. A crash before the first commit
 * leaves lines that no committed position knows of: with this they can be told from what was there before, and cut off.
 */
const PlaceSchema = Type.Object({
  inode: Type.String(),
  bytes: Type.Integer({ minimum: 0 }),
  tail: Type.Integer()
})

const BeginningSchema = Type.Object({
  id: Type.String(),
  ...PlaceSchema.properties,
  /** Where the lines before it begin, in a file that was rotated away, if a commit of any of those is not yet sure. */
  first: Type.Optional(PlaceSchema)
})

/** A place in a file, which is known again by its inode and by what stands before the place. */
export type Place = Static<typeof PlaceSchema>
export type Beginning = Static<typeof BeginningSchema>

function pathOf (path: string): string {
  return `${path}.beginning`
}

/**
 * Notes that the file is ours from `bytes` on.
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

/** The beginning that was noted last, of whichever file. */
export async function readBeginning (path: string): Promise<Beginning | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(pathOf(path), 'utf8'))
    return Value.Check(BeginningSchema, value) ? value : undefined
  } catch {
    // None was noted, or it can't be read: nothing is known of the file.
    return undefined
  }
}

/** Whether a place is one of this file. */
export async function isPlaceIn (file: FileHandle, place: Place): Promise<boolean> {
  return place.inode === await inodeOf(file) && await fits(file, place)
}

/** To be called once something of what follows the beginning is committed for sure: from then on, only a position says what is. */
export async function forgetBeginning (path: string): Promise<void> {
  await rm(pathOf(path), { force: true })
}

/** Brings to the disk which files are in the folder of `path`, under which names. */
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
