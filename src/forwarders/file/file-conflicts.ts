import { dirname } from 'node:path'
import { rotatedStamp } from './rotated-files.js'
import { identityAt, realPath } from './real-path.js'

/** A file that a forwarder writes to. */
export interface ForwarderFile {
  readonly forwarder: string
  readonly path: string
}

/** A file that no forwarder may write to. */
export interface ReservedFile {
  readonly path: string
  /** The file's purpose in words, such as `the database`. */
  readonly what: string
}

export interface FileConflict {
  readonly forwarder: string
  readonly message: string
}

interface Place {
  readonly real: string
  readonly identity: string | undefined
}

/**
 * Finds forwarders that would write to the same file as another forwarder or as tierhook itself. Paths may be spelled differently: through
 * links, by another name of the same file, or with a name that another event file uses beside it.
 */
export async function findFileConflicts (files: readonly ForwarderFile[], reserved: readonly ReservedFile[]): Promise<readonly FileConflict[]> {
  const places = await Promise.all(files.map(async (file) => ({ ...file, ...await placeOf(file.path) })))
  const taken = await Promise.all(reserved.map(async (file) => ({ ...file, ...await placeOf(file.path) })))
  return places.flatMap((place, index) => {
    const { forwarder, path } = place
    const own = taken.find((other) => isSame(place, other))
    if (own !== undefined) return [{ forwarder, message: `writes to ${path}, which is ${own.what} of tierhook itself (${own.path}): give it a file of its own` }]
    const other = places.slice(0, index).find((before) => isSame(before, place))
    if (other !== undefined) return [{ forwarder, message: `writes to ${path}, which is also the file of the forwarder ${other.forwarder} (${other.path}): give each a file of its own` }]
    const neighbour = places.find((each) => each !== place && isBeside(place.real, each.real))
    if (neighbour !== undefined) return [{ forwarder, message: `writes to ${path}, a name that the forwarder ${neighbour.forwarder} needs beside its file ${neighbour.path}: give it another name` }]
    return []
  })
}

async function placeOf (path: string): Promise<Place> {
  const real = await realPath(path)
  return { real, identity: await identityAt(real) }
}

function isSame (one: Place, other: Place): boolean {
  return one.real === other.real || (one.identity !== undefined && one.identity === other.identity)
}

/** Whether a file has a name that the file forwarder uses for files beside an event file. */
function isBeside (file: string, eventFile: string): boolean {
  if (dirname(file) !== dirname(eventFile) || !file.startsWith(`${eventFile}.`)) return false
  const end = file.slice(eventFile.length + 1)
  return /^(?:beginning(?:\.new)?|in-use(?:-\w+)?|set-aside-.*)$/.test(end) || rotatedStamp.test(end)
}
