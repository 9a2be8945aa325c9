import type { Writable } from 'node:stream'

/**
 * Waits until everything written to the output has left the process, because the exit drops what a full pipe could not take. Resolves with
 * whether it has left: `false` if writing failed, or if the reader took nothing for `stallLimitMs` milliseconds.
 */
export async function written (output: Writable, { stallLimitMs }: { readonly stallLimitMs: number }): Promise<boolean> {
  // The callback reports the error of a finished write one turn later, when the process might have ended. So check for it first.
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
    // An empty write completes after all others.
    output.write('', (error) => { finish(error === null || error === undefined) })
  })
}
