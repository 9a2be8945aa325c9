import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Makes a file a mount point of its own, as a container's bind mount of one file does; returns how to undo it, or `undefined` where there is no right to. */
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
    // It may be open.
    if (mounted) execFileSync('umount', ['-l', path])
    mounted = false
  }
}
