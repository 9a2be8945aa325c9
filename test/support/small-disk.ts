import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MOUNT_BYTES = 256 * 1024 * 1024

/** A small file system, so that it can really be full. */
export interface SmallDisk {
  readonly fill: () => void
  readonly empty: () => void
  readonly unmount: () => void
}

/** Mounts one over an empty folder; `undefined` where the rights do not allow it. */
export function mountSmallDisk (folder: string): SmallDisk | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${MOUNT_BYTES}`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    // No right to mount.
    return undefined
  }
  const filler = join(folder, 'filler')
  return {
    fill () {
      const { bavail, bsize } = statfsSync(folder)
      try {
        writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize)), { flag: existsSync(filler) ? 'a' : 'w' })
      } catch {
        // Full, as it is meant to be.
      }
    },
    empty () { rmSync(filler, { force: true }) },
    unmount () { execFileSync('umount', ['-l', folder]) }
  }
}
