/** One thing that is wrong with the configuration. The message never holds a secret's value. */
export interface ConfigurationFault {
  /** The environment variable at fault, or the name that stands in its place in the file. */
  readonly variable: string
  readonly message: string
}

/** Everything that is wrong with the configuration at once; its message has one line for each fault. */
export class ConfigurationError extends Error {
  readonly code = 'CONFIGURATION_INVALID'
  readonly faults: readonly ConfigurationFault[]

  constructor (faults: readonly ConfigurationFault[]) {
    const lines = faults.map(fault => `  ${fault.variable}: ${fault.message}`)
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${lines.join('\n')}`)
    this.name = 'ConfigurationError'
    this.faults = faults
  }
}
