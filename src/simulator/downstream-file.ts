import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Acknowledged } from './acknowledged.js'
import { DownstreamError, type Downstream, type LookOptions } from './downstream.js'

const chunkBytes = 1_048_576
/** A longer line cannot be an event. */
const lineLimitBytes = 67_108_864
const lineFeed = 0x0a

const Id = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const IdFields = Type.Object({ id: Id, eventId: Id, event: Type.Optional(Type.Object({ id: Id })) })

/** Where to continue in each file. A file is identified by its inode, because rotation changes its name. */
type Positions = Map<number, number>

/**
 * Reads a file with one event per line, and its rotated siblings: the same name with a dot and more text. Files that the file forwarder
 * set aside are left out, because their events are written again or were before. Only lines added after `begin` count.
 */
export function downstreamFile (path: string): Downstream {
  const began: Positions = new Map()
  let positions: Positions = new Map()

  async function files (): Promise<readonly string[]> {
    try {
      const names = await readdir(dirname(path))
      return names.filter(name => name === basename(path) || (name.startsWith(`${basename(path)}.`) && !name.startsWith(`${basename(path)}.set-aside-`))).map(name => join(dirname(path), name))
    } catch (error) {
      // The first event may create the folder.
      if (isMissing(error)) return []
      throw new DownstreamError(`${dirname(path)} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
    }
  }

  async function lookAt (file: string, acknowledged: Acknowledged, signal: AbortSignal): Promise<void> {
    const handle = await openIfThere(file)
    if (handle === undefined) return
    try {
      const facts = await handle.stat()
      if (!facts.isFile()) return
      const from = Math.min(positions.get(facts.ino) ?? began.get(facts.ino) ?? 0, facts.size)
      positions.set(facts.ino, await readLines(handle, from, signal, line => { noteLine(line, acknowledged) }))
    } finally {
      await handle.close()
    }
  }

  return {
    name: path,
    async begin () {
      for (const file of await files()) {
        const facts = await stat(file).catch(() => undefined)
        if (facts?.isFile() === true) began.set(facts.ino, facts.size)
      }
    },
    async look (acknowledged: Acknowledged, { again, signal }: LookOptions) {
      if (again) {
        positions = new Map()
        acknowledged.ledger.forgetFound()
      }
      for (const file of await files()) if (!signal.aborted) await lookAt(file, acknowledged, signal)
    },
    async close () {}
  }
}

function isMissing (error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function openIfThere (file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r')
  } catch (error) {
    // Renamed or removed since it was listed.
    if (isMissing(error)) return undefined
    throw new DownstreamError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** Reads whole lines. Resolves with the position of the next line. */
async function readLines (file: FileHandle, from: number, signal: AbortSignal, onLine: (line: string) => void): Promise<number> {
  const buffer = Buffer.alloc(chunkBytes)
  let rest: Buffer[] = []
  let restBytes = 0
  let position = from
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, position + restBytes)
    if (bytesRead === 0 || signal.aborted) return position
    const chunk = Buffer.from(buffer.subarray(0, bytesRead))
    let begin = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, begin)) {
      onLine(Buffer.concat([...rest, chunk.subarray(begin, end)]).toString('utf8'))
      position += restBytes + end + 1 - begin
      rest = []
      restBytes = 0
      begin = end + 1
    }
    if (begin < chunk.length) {
      rest.push(chunk.subarray(begin))
      restBytes += chunk.length - begin
    }
    if (restBytes > lineLimitBytes) throw new DownstreamError(`There is a line of more than ${lineLimitBytes} bytes: this is no file with one event a line`)
  }
}

/** Notes the event of a line. A line that is not JSON, or is cut short, belongs to no event. */
function noteLine (line: string, acknowledged: Acknowledged): void {
  const index = acknowledged.needsFields ? indexByField(line, acknowledged) : acknowledged.indexIn(line)
  if (index !== undefined) acknowledged.ledger.found(index)
}

function indexByField (line: string, acknowledged: Acknowledged): number | undefined {
  const value = parse(line)
  if (!Value.Check(IdFields, value)) return undefined
  for (const id of [value.id, value.eventId, value.event?.id]) {
    const index = typeof id === 'string' ? acknowledged.indexOf(id) : undefined
    if (index !== undefined) return index
  }
  return undefined
}

function parse (line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // Not a line with an event.
    return undefined
  }
}
