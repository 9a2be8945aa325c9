import { systemCode } from '../errors/system-code.js'

/** The fields of an error that are passed from thread to thread. */
export interface ErrorFields {
  readonly message: string
  readonly code: string | undefined
  /** The file that the error is about, if the operating system names one. */
  readonly path: string | undefined
  readonly cause?: ErrorFields
}

/** An error that was thrown in another thread, or that says that a thread has ended. It keeps the codes of the original error and of its cause. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError'
  readonly code: string | undefined
  readonly path: string | undefined

  constructor (message: string, code: string | undefined, { path, cause }: { readonly path?: string | undefined, readonly cause?: Error | undefined } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
  }
}

export function errorFields (error: unknown): ErrorFields {
  const textOf = (name: string): string | undefined => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const cause = error instanceof Error ? error.cause : undefined
  return { message: textOf('message') ?? String(error), code: systemCode(error), path: textOf('path'), ...cause === undefined ? {} : { cause: errorFields(cause) } }
}

export function toThreadError ({ message, code, path, cause }: ErrorFields): ThreadError {
  return new ThreadError(message, code, { path, cause: cause === undefined ? undefined : toThreadError(cause) })
}
