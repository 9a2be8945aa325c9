import { open, rename, stat, type FileHandle } from 'node:fs/promises'
import type { Logger } from 'pino'
import { systemCode } from '../../errors/system-code.js'
import { isPlaceIn, readBeginning, syncFolder, type Beginning, type Place } from './beginning.js'
import { judgePart, type JudgedPart, type Unfinished } from './file-part.js'
import { dayOf, endsInPartialLine, fits, type FilePosition } from './file-position.js'
import { openAtEnd, openHandle, openIfThere, orClose, type OpenFile } from './open-file.js'
import type { RotatedFiles } from './rotated-files.js'
import { setFileAside, setTailAside } from './set-aside.js'

export interface RecoveryOptions {
  readonly path: string
  readonly rotated: RotatedFiles
  /** The last committed position. */
  readonly position: FilePosition | undefined
  readonly unfinished: Unfinished | undefined
  readonly now: () => number
  readonly logger: Logger
}

/**
 * Prepares the event file for appending, however the previous process ended. Lines after the last commit usually come from a crash. If all
 * of them will be written again, they are cut off. If none of them will, the database was restored from a backup or is new, and the lines
 * stay. In all other cases the lines are set aside unchanged. A file that was rotated away is never removed.
 */
export async function recover (options: RecoveryOptions): Promise<OpenFile> {
  const { path, position, now, logger } = options
  const here = await exists(path)
  const beginning = await readBeginning(path)
  const committed = position === undefined ? undefined : await find(options, async (handle) => await fits(handle, position))
  if (position !== undefined && committed !== undefined) return await goOnFrom(options, position, committed, beginning)

  if (beginning !== undefined && beginning.id !== position?.beginning) {
    for (const place of [beginning.first, beginning].filter((each) => each !== undefined)) {
      const begun = await find(options, async (handle) => await isPlaceIn(handle, place))
      if (begun !== undefined) return await goOnFromPlace(options, place, begun, beginning)
    }
  }
  if (position !== undefined) logger.warn({ path }, here ? 'event file is not the one that was written last: going on at its end' : 'event file was moved or deleted: a new one is begun')
  return await openAtEnd(path, dayOf(now()))
}

interface Found {
  /** The file that contains the place: the event file, or a file that was rotated away. */
  readonly file: string
  /** The files that were rotated away after `file`, oldest first. */
  readonly later: readonly string[]
}

async function find ({ path, rotated }: RecoveryOptions, isIt: (handle: FileHandle) => Promise<boolean>): Promise<Found | undefined> {
  const isIn = async (file: string): Promise<boolean> => {
    const handle = await openIfThere(file)
    return handle !== undefined && await isIt(handle).finally(async () => { await handle.close() })
  }
  if (await isIn(path)) return { file: path, later: [] }
  const candidates = await rotated.list().catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  for (const [index, candidate] of [...candidates.entries()].toReversed()) {
    if (await isIn(candidate)) return { file: candidate, later: candidates.slice(index + 1) }
  }
  return undefined
}

/** Continues after the last committed line. */
async function goOnFrom (options: RecoveryOptions, position: FilePosition, found: Found, beginning: Beginning | undefined): Promise<OpenFile> {
  const { path, unfinished } = options
  const begun = await isBegunHere(path, beginning) ? beginning : undefined
  if (found.file !== path) return await goOnFromRotated(options, { from: position.bytes, found, begun }, async (own) => await goOnIn(options, own, position))
  if (begun !== undefined && await wasLeft(options, position, begun)) return await goOnInNew(options, begun)
  return await goOnIn(options, await judgePart({ path, from: position.bytes }, unfinished), position)
}

/** Continues at the beginning of our lines. The database knows of no commit of any of them. */
async function goOnFromPlace (options: RecoveryOptions, place: Place, found: Found, beginning: Beginning): Promise<OpenFile> {
  const { path } = options
  if (found.file === path) return await goOnInNew(options, place)
  const begun = await isBegunHere(path, beginning) ? beginning : undefined
  return await goOnFromRotated(options, { from: place.bytes, found, begun }, async () => await goOnInNew(options, place))
}

interface RotatedAway {
  readonly found: Found
  /** Where the part to judge begins in the found file, in bytes. */
  readonly from: number
  /** The beginning record of the present event file. */
  readonly begun: Beginning | undefined
}

/**
 * Continues from a place in a file that was rotated away. If nothing since the rotation was committed, undoes the rotation and goes on in
 * that file. Otherwise goes on in the present event file.
 */
async function goOnFromRotated (options: RecoveryOptions, { found, from, begun }: RotatedAway, goOnThere: (own: JudgedPart) => Promise<OpenFile>): Promise<OpenFile> {
  const { path, unfinished } = options
  const own = await judgePart({ path: found.file, from }, unfinished)
  const others: JudgedPart[] = []
  for (const each of found.later) others.push(await judgePart({ path: each, from: 0 }, unfinished))
  const current = await exists(path) ? await judgePart({ path, from: begun?.bytes ?? 0 }, unfinished) : undefined
  if (isUncommittedRotation(own, others, current)) {
    await undoRotation(options, own, others, current)
    return await goOnThere({ ...own, path })
  }
  for (const part of [own, ...others]) await settlePart(options, part)
  return current === undefined ? await openAtEnd(path, dayOf(options.now())) : await goOnInNew(options, begun)
}

/** Whether the previous start left lines in place after the position, and began again after them. */
async function wasLeft ({ path, unfinished }: RecoveryOptions, position: FilePosition, beginning: Beginning): Promise<boolean> {
  if (beginning.id === position.beginning || beginning.bytes <= position.bytes) return false
  return (await judgePart({ path, from: position.bytes, to: beginning.bytes }, unfinished)).verdict === 'newer'
}

/** Whether nothing since the rotation was committed. The rotation is undone then, and the lines are written again. */
function isUncommittedRotation (own: JudgedPart, others: readonly JudgedPart[], current: JudgedPart | undefined): boolean {
  const parts = [own, ...others, ...current === undefined ? [] : [current]]
  if (parts.some(({ verdict }) => verdict === 'newer' || verdict === 'unclear')) return false
  // If no line will be written again, rotation by day created an empty file. That file stays.
  return current === undefined || (current.from === 0 && parts.some(({ verdict }) => verdict === 'debris'))
}

/** Renames the file with the last committed line back. All later lines are written again. */
async function undoRotation (options: RecoveryOptions, own: JudgedPart, others: readonly JudgedPart[], current: JudgedPart | undefined): Promise<void> {
  const { path } = options
  // Newest first, so that the next start can cope with a crash between two steps.
  for (const part of others.toReversed()) await settlePart(options, part)
  await rename(own.path, path)
  await syncFolder(path)
  if (current?.verdict === 'debris') logCut(options, current)
}

/** Continues in the event file, which contains the position. */
async function goOnIn (options: RecoveryOptions, part: JudgedPart, { bytes, beginning, day }: FilePosition): Promise<OpenFile> {
  if (part.verdict === 'newer') return await leave(options, part)
  return await cutBack(options, part, () => ({ beginning, day, bytes, torn: false, dirty: false, appends: 0, noted: false }))
}

/** Continues in a file of which the database knows no commit: from the recorded beginning or place on, or from byte 0 if there is none. */
async function goOnInNew (options: RecoveryOptions, from: Beginning | Place | undefined): Promise<OpenFile> {
  const { path, now, unfinished } = options
  const bytes = from?.bytes ?? 0
  const id = from !== undefined && 'id' in from ? from.id : undefined
  const day = dayOf(now())
  const part = await judgePart({ path, from: bytes }, unfinished)
  if (part.verdict === 'newer') return await leave(options, part)
  const file = await cutBack(options, part, async (handle) => ({ beginning: id ?? '', day, bytes, torn: await endsInPartialLine(handle, bytes), dirty: false, appends: 0, noted: true }))
  if (id !== undefined) return file
  await file.handle.close()
  return await openAtEnd(path, day)
}

/** Opens the event file and removes the part from it. */
async function cutBack (options: RecoveryOptions, part: JudgedPart, then: (handle: FileHandle) => Omit<OpenFile, 'handle'> | Promise<Omit<OpenFile, 'handle'>>): Promise<OpenFile> {
  const handle = await openHandle(options.path)
  return await orClose(handle, async () => {
    await cutOff(options, part, handle)
    return { handle, ...await then(handle) }
  })
}

/** Cleans up a file that was rotated away. */
async function settlePart (options: RecoveryOptions, part: JudgedPart): Promise<void> {
  if (part.verdict === 'empty') return
  if (part.verdict === 'newer') return await keep(options, part)
  if (part.from === 0) return logSetAside(options, part, await setFileAside(part.path, options.path, options.now()))
  const handle = await open(part.path, 'r+')
  await cutOff(options, part, handle).finally(async () => { await handle.close() })
}

async function cutOff (options: RecoveryOptions, part: JudgedPart, handle: FileHandle): Promise<void> {
  const { from, verdict } = part
  if (verdict === 'empty') return
  if (verdict === 'unclear') return logSetAside(options, part, await setTailAside(handle, from, options.path, options.now()))
  await handle.truncate(from)
  logCut(options, part)
}

function logCut ({ logger }: RecoveryOptions, { path, lines, bytes }: JudgedPart): void {
  logger.info({ path, lines, bytes }, 'event file cut back to what was committed: these lines are written again')
}

/** Continues after lines that the database does not know. They may be good, so they stay. */
async function leave (options: RecoveryOptions, part: JudgedPart): Promise<OpenFile> {
  await keep(options, part)
  return await openAtEnd(options.path, dayOf(options.now()))
}

async function keep ({ path: eventFile, now, logger }: RecoveryOptions, { path, lines, bytes, torn }: JudgedPart): Promise<void> {
  logger.warn({ path, lines, bytes }, 'event file has lines that the database does not know: they stay')
  if (torn === undefined) return
  const handle = await open(path, 'r+')
  const setAside = await setTailAside(handle, torn, eventFile, now()).finally(async () => { await handle.close() })
  logger.warn({ path, lines: 0, setAside }, 'event file has lines beyond what was committed: set aside')
}

function logSetAside ({ logger }: RecoveryOptions, { path, lines, bytes }: JudgedPart, setAside: string): void {
  logger.warn({ path, lines, bytes, setAside }, 'event file has lines beyond what was committed: set aside')
}

/** Whether the beginning record belongs to the present event file. */
async function isBegunHere (path: string, beginning: Beginning | undefined): Promise<boolean> {
  const handle = beginning === undefined ? undefined : await openIfThere(path)
  return beginning !== undefined && handle !== undefined && await isPlaceIn(handle, beginning).finally(async () => { await handle.close() })
}

async function exists (path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false)
}
