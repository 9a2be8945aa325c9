import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Makes a file a mount point, like a container's bind mount of one file. Returns a function that undoes it; `undefined` without the right to. */
export function mountFileOver (source: string, path: string): (() => void) | undefined {
  writeFileSync(source, '')
  writeFileSync(path, '')
  try {
    execFileSync('mount', ['--bind', source, path], { stdio: 'ignore' })
  } catch {
    // No right to mount.
    return undefined
  }
  let mounted = true
  return () => {
    // Unmount lazily, because the file may be open.
    if (mounted) execFileSync('umount', ['-l', path])
    mounted = false
  }
}
