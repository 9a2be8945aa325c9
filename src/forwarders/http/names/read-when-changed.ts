import { readFileSync, statSync } from 'node:fs'

/**
 * Makes a function that reads a small system file, and reads it again only after it has changed. A file that cannot be read counts as
 * empty. Reading is synchronous, because the threads for asynchronous reads may be waiting for slow disks.
 */
export function readWhenChanged<T> (path: string, parse: (text: string) => T): () => T {
  let read: { readonly version: string, readonly value: T } | undefined
  return () => {
    const version = versionOf(path)
    if (read === undefined || read.version !== version) read = { version, value: parse(version === '' ? '' : textOf(path)) }
    return read.value
  }
}

/** Returns an empty text if there is no file. */
function versionOf (path: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path)
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ')
  } catch {
    // There is no file, or its folder may not be read.
    return ''
  }
}

function textOf (path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The file may not be read.
    return ''
  }
}
