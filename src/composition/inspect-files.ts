import { lstatSync, readlinkSync, statSync, type Stats } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { ConfigurationFault } from '../config/configuration-error.js'
import { secretNames, type EnvFile } from '../config/env-file.js'
import type { Settings } from '../config/settings.js'
import { reservedFiles } from './reserved-files.js'

/** The user that the process runs as. */
export interface FileUser {
  readonly uid: number
  /** The ids of the groups that the user is a member of. */
  readonly groups: readonly number[]
}

export interface InspectFilesOptions {
  readonly settings: Pick<Settings, 'DATA_DIR' | 'FORWARDERS_FILE' | 'FORWARDERS' | 'FILE_FORWARDER_PATH'>
  /** The environment file that was read; `undefined` if there was none. */
  readonly envFile?: EnvFile | undefined
  /** The directory that relative paths start from. */
  readonly directory: string
  /** `undefined` if the system has no such users. Nothing is found then. */
  readonly user: FileUser | undefined
}

/** What another user of the machine could do. */
export interface FileDanger extends ConfigurationFault {
  /** Whether another user decides what the service reads and writes. The service must not start then. */
  readonly refused: boolean
}

const ROOT = 0
/** The user id that stands for every user that a container does not know. It may be any user, so its files get no refusal. */
const UNKNOWN_USER = 65_534
const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002
const GROUP_WRITE = 0o020

/**
 * Finds what other users of the machine could read or change, by owners, modes and links. Looks at the data folder, its files, and the
 * configuration files. A file that does not exist or cannot be looked at is left to the start.
 */
export function inspectFiles ({ settings, envFile, directory, user }: InspectFilesOptions): readonly FileDanger[] {
  if (user === undefined) return []
  const dataDir = resolve(directory, settings.DATA_DIR)
  const folder = look(statSync, dataDir)
  return [
    ...folder === undefined ? [] : folderDangers(dataDir, folder, user),
    ...folder === undefined ? [] : ownFiles(settings, dataDir, directory).flatMap((path) => fileDangers(path, folder, user)),
    ...envFile === undefined ? [] : envFileDangers(envFile, resolve(directory, envFile.path), settings.FORWARDERS_FILE),
    ...settings.FORWARDERS_FILE === undefined ? [] : changeable('FORWARDERS_FILE', resolve(directory, settings.FORWARDERS_FILE), 'a user who changes it decides what code runs here, and where events go')
  ]
}

function folderDangers (path: string, { uid, gid, mode }: Stats, user: FileUser): readonly FileDanger[] {
  const told = (message: string, refused = false): FileDanger => ({ variable: 'DATA_DIR', message, refused })
  if ((mode & OTHERS_WRITE) !== 0) {
    // A volume of a container often belongs to root, or to a user that the container does not know, and everybody may write to it.
    if (user.uid !== ROOT && ![user.uid, ROOT, UNKNOWN_USER].includes(uid)) {
      return [told(`is ${path}, which belongs to another user (uid ${uid}), and which everybody can write to (mode ${octal(mode)}): others decide what is stored there. ` +
        `Take a folder that belongs to the user that tierhook runs as (uid ${user.uid}), or give this one to that user and chmod o-w it`, true)]
    }
    return [told(`is ${path}, which everybody on this machine can write to (mode ${octal(mode)}): others can put files in it, or replace the store; chmod o-w it`)]
  }
  if ((mode & GROUP_WRITE) !== 0 && !user.groups.includes(gid)) {
    return [told(`is ${path}, which can be written to by a group that does not include tierhook's user (gid ${gid}, mode ${octal(mode)}): its members can put files in it, or replace the store; chmod g-w it, or chgrp it`)]
  }
  return []
}

/** Lists the files in the data folder that are opened by name. */
function ownFiles (settings: InspectFilesOptions['settings'], dataDir: string, directory: string): readonly string[] {
  const eventFile = settings.FORWARDERS.includes('file') ? [resolve(directory, settings.FILE_FORWARDER_PATH ?? resolve(dataDir, 'events.ndjson'))] : []
  const paths = [...reservedFiles({ settings: { DATA_DIR: dataDir } }).map(({ path }) => path), ...eventFile]
  return [...new Set(paths)].filter((path) => dirname(path) === dataDir)
}

function fileDangers (path: string, folder: Stats, user: FileUser): readonly FileDanger[] {
  const found = look(lstatSync, path)
  if (found === undefined) return []
  // A danger of the folder is reported once and not again for each file. Some shared file systems show one mode for everything.
  if (!found.isSymbolicLink()) return (folder.mode & OTHERS_WRITE) !== 0 ? [] : changeable('DATA_DIR', path, 'what is stored is not to be relied on')
  // The folder's owner can put anything there anyway.
  const refused = ![user.uid, ROOT, UNKNOWN_USER, folder.uid].includes(found.uid)
  const advice = refused ? `and it belongs to another user (uid ${found.uid}): others decide which file is written. Remove it` : 'so the store is not where it seems to be, and a backup of the folder misses it. Put the file itself there, or make DATA_DIR itself the link'
  return [{ variable: 'DATA_DIR', message: `holds ${basename(path)} as a link (${path}, mode ${octal(found.mode)}) to ${targetOf(path)}, ${advice}`, refused }]
}

function envFileDangers (envFile: EnvFile, path: string, forwardersFile: string | undefined): readonly FileDanger[] {
  const mode = look(statSync, path)?.mode ?? 0
  const secrets = secretNames(envFile, { forwardersFile })
  return [
    ...changeable(envFile.path, path, 'a user who changes it decides whose webhooks are accepted, and where events go'),
    ...(mode & OTHERS_READ) === 0 || secrets.length === 0
      ? []
      : [{ variable: envFile.path, message: `can be read by everybody on this machine (${path}, mode ${octal(mode)}), and holds ${secrets.join(', ')}; chmod o-r it`, refused: false }]
  ]
}

function changeable (variable: string, path: string, why: string): readonly FileDanger[] {
  const mode = look(statSync, path)?.mode ?? 0
  if ((mode & OTHERS_WRITE) === 0) return []
  return [{ variable, message: `can be changed by everybody on this machine (${path}, mode ${octal(mode)}): ${why}; chmod o-w it`, refused: false }]
}

function look (stat: (path: string) => Stats, path: string): Stats | undefined {
  try {
    return stat(path)
  } catch {
    // The file does not exist yet or cannot be looked at. The start reports that.
    return undefined
  }
}

function targetOf (path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // The link was removed meanwhile.
    return 'nowhere'
  }
}

function octal (mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}
