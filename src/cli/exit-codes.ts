/** What the process ends with. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** The command line or the configuration is wrong. */
  usage: 2
} as const

/** Added to a signal's number where the signal ended the process, as shells do. */
export const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
