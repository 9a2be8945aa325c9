import { constants } from 'node:os'

/** Node has no names for some errors of the system: to it, a quota that is used up is an unknown error. */
const namesByNumber = new Map(Object.entries(constants.errno).map(([name, number]) => [-number, name]))

/** The code of an error: the system's name for what went wrong, such as `ENOSPC`, or that of a library; `undefined` where it has none. */
export function systemCode (error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return undefined
  const hasNoName = error.code === 'UNKNOWN' || error.code.startsWith('Unknown system error')
  return hasNoName && 'errno' in error ? namesByNumber.get(Number(error.errno)) ?? error.code : error.code
}

/** The code that Node puts on system errors, such as `ECONNREFUSED`; of the first cause that has one. Empty if there is none. */
export function errorCode (error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = systemCode(current)
    if (code !== undefined) return code
  }
  return ''
}
