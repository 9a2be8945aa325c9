/** A command line that cannot be followed. Its message tells the user what to write instead. */
export class UsageError extends Error {
  readonly code = 'USAGE'

  constructor (message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
