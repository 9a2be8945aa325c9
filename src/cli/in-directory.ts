import { resolve } from 'node:path'
import type { Settings } from '../config/settings.js'

/** The settings with every path made absolute, from the directory that the command runs in. */
export function inDirectory (settings: Settings, directory: string): Settings {
  return {
    ...settings,
    DATA_DIR: resolve(directory, settings.DATA_DIR),
    ...settings.FILE_FORWARDER_PATH === undefined ? {} : { FILE_FORWARDER_PATH: resolve(directory, settings.FILE_FORWARDER_PATH) },
    ...settings.FORWARDERS_FILE === undefined ? {} : { FORWARDERS_FILE: resolve(directory, settings.FORWARDERS_FILE) }
  }
}
