import { ConfigurationError, type ConfigurationFault } from '../config/configuration-error.js'
import type { EnvFile } from '../config/env-file.js'
import type { Settings } from '../config/settings.js'
import { findWarnings } from '../config/warnings.js'
import type { CommandContext } from './context.js'

/**
 * What the service starts with all the same, but what somebody should know: of its settings, and of the files that it relies on.
 * @throws ConfigurationError where somebody else decides what the service would read and write
 */
export function startWarnings ({ inspectFiles, directory, user }: CommandContext, settings: Settings, envFile: EnvFile | undefined): readonly ConfigurationFault[] {
  const dangers = inspectFiles({ settings, envFile, directory, user })
  const refused = dangers.filter(danger => danger.refused)
  if (refused.length > 0) throw new ConfigurationError(refused.map(({ variable, message }) => ({ variable, message })))
  return [...findWarnings(settings), ...dangers.map(({ variable, message }) => ({ variable, message }))]
}
