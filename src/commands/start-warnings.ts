import { ConfigurationError, type ConfigurationFault } from '../config/configuration-error.js'
import type { EnvFile } from '../config/env-file.js'
import type { Settings } from '../config/settings.js'
import { findWarnings } from '../config/warnings.js'
import type { CommandContext } from './context.js'

/**
 * Returns warnings about the settings and about the files that the service relies on. The service starts despite them.
 * @throws ConfigurationError if another user could change what the service reads and writes
 */
export function startWarnings ({ inspectFiles, directory, user }: CommandContext, settings: Settings, envFile: EnvFile | undefined): readonly ConfigurationFault[] {
  const dangers = inspectFiles({ settings, envFile, directory, user })
  const refused = dangers.filter(danger => danger.refused)
  if (refused.length > 0) throw new ConfigurationError(refused.map(({ variable, message }) => ({ variable, message })))
  return [...findWarnings(settings), ...dangers.map(({ variable, message }) => ({ variable, message }))]
}
