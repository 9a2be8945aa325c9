import { fileURLToPath } from 'node:url'

/** The path of the built program. */
export const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/**
 * Arguments of `env` that run node as in production. tap adds options to processes that tests start, to measure coverage, which makes each
 * start half as long again.
 */
export const plainNode = ['-u', 'NODE_OPTIONS', process.execPath] as const
