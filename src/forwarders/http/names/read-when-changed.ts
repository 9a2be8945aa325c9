import { readFileSync, statSync } from 'node:fs'

/**
 * Makes what reads a small file of the system, anew only where it has changed. One that cannot be read counts as empty. It
 * reads at once: to wait for the threads that read files for everybody else could take as long as their disks do.
 */
export function readWhenChanged<T> (path: string, parse: (text: string) => T): () => T {
  let read: { readonly version: string, readonly value: T } | undefined
  return () => {
    const version = versionOf(path)
    if (read === undefined || read.version !== version) read = { version, value: parse(version === '' ? '' : textOf(path)) }
    return read.value
  }
}

/** Empty where there is none. */
function versionOf (path: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path)
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ')
  } catch {
    // There is none, or its folder may not be looked into.
    return ''
  }
}

function textOf (path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It may not be read.
    return ''
  }
}
