/** The code that Node puts on system errors, such as `ECONNREFUSED`; of the first cause that has one. Empty if there is none. */
export function errorCode (error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code
  }
  return ''
}
