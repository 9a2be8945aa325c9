/** The oldest Node.js that every part runs with, 20.18. `package.json` tells npm the same. */
const oldest = [20, 18] as const

/** @param version of Node.js, such as `20.18.1` */
export function isTooOld (version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1])
}

/**
 * Explains in one line why the program could not be loaded, and what to do. `undefined` if the cause is a fault of tierhook and not of the
 * machine: then a stack trace helps most.
 */
export function explainNoStart (error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // TypeBox and Fastify compile a function from each schema.
  if (error.name === 'EvalError') {
    return 'Node.js may not generate code here (--disallow-code-generation-from-strings), but tierhook generates the code that checks webhooks and settings. Start it without that option, which may be in NODE_OPTIONS.'
  }
  const code = 'code' in error ? error.code : undefined
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const [, missing] = /'([^']+)'/.exec(error.message) || []
    return `A part of this installation is missing: ${missing || error.message}. Install it again: "npm ci" for the packages, "npm run build" for dist.`
  }
  if (code === 'ERR_ACCESS_DENIED') {
    return `The permission model of Node.js forbids what the service needs (${error.message}). Start it without --permission, which may be in NODE_OPTIONS.`
  }
  if (code === 'ENOENT' && 'syscall' in error && error.syscall === 'uv_cwd') {
    return 'The working directory is gone: it was removed or unmounted. Change to one that exists, and start again.'
  }
  return undefined
}
