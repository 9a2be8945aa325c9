import { fileURLToPath } from 'node:url'

/** The built program. */
export const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/**
 * For `env`, to run node as it is run in earnest. tap adds options to what the tests start, to measure coverage, and each start takes half as
 * long again.
 */
export const plainNode = ['-u', 'NODE_OPTIONS', process.execPath] as const
