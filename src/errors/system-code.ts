import { constants } from 'node:os'

/** Names of errno values for which Node has none. For example, Node reports a used-up quota as an unknown error. */
const namesByNumber = new Map(Object.entries(constants.errno).map(([name, number]) => [-number, name]))

/** Returns the code of an error: the operating system's name, such as `ENOSPC`, or a library's code. `undefined` if the error has none. */
export function systemCode (error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return undefined
  const hasNoName = error.code === 'UNKNOWN' || error.code.startsWith('Unknown system error')
  return hasNoName && 'errno' in error ? namesByNumber.get(Number(error.errno)) ?? error.code : error.code
}

/** Returns the code of an error, such as `ECONNREFUSED`, or that of the first cause that has one. Empty if there is none. */
export function errorCode (error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = systemCode(current)
    if (code !== undefined) return code
  }
  return ''
}
