/** One fault of the configuration. The message never contains a secret's value. */
export interface ConfigurationFault {
  /** The environment variable at fault, or the name of the faulty part of a file. */
  readonly variable: string
  readonly message: string
}

/** All faults of the configuration at once. The message has one line for each fault. */
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
