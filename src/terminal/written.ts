import type { Writable } from 'node:stream'

/**
 * Waits until all that a command wrote has left the process: what a pipe had no room for is lost when the process exits.
 * Resolves with whether it has left; not so where writing failed, or where no write was taken for `stallLimitMs` milliseconds.
 */
export async function written (output: Writable, { stallLimitMs }: { readonly stallLimitMs: number }): Promise<boolean> {
  // An error of a write that was done at once is told a turn later, when the process might have gone.
  if (output.errored !== null) return false
  let left = output.writableLength
  if (left === 0) return true
  return await new Promise((resolve) => {
    const watch = setInterval(() => {
      if (output.writableLength === left) finish(false)
      left = output.writableLength
    }, stallLimitMs)
    function finish (all: boolean): void {
      clearInterval(watch)
      resolve(all)
    }
    // Its turn comes after all the others'.
    output.write('', (error) => { finish(error === null || error === undefined) })
  })
}
