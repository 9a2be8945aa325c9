import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const MOUNT_BYTES = 256 * 1024 * 1024

/** A small file system, so that it can really be full. */
export interface SmallDisk {
  readonly fill: () => void
  readonly empty: () => void
  readonly unmount: () => void
}

/** Mounts one over an empty folder; `undefined` where the rights do not allow it. */
export function mountSmallDisk (folder: string, bytes = MOUNT_BYTES): SmallDisk | undefined {
  if (!mount(folder, `size=${bytes}`)) return undefined
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

/** A folder that is a file system of its own for the time of a test, such as one of `size=8m,nr_inodes=12`; `undefined` where the rights do not allow it. */
export function mountedFolder (t: Test, options: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-disk-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  if (!mount(folder, options)) return undefined
  t.teardown(() => { execFileSync('umount', ['-l', folder]) })
  return folder
}

/** Takes all inodes of a file system; returns how to give them back. */
export function fillInodes (folder: string): () => void {
  const fillers: string[] = []
  try {
    for (;;) {
      const filler = join(folder, `filler-${fillers.length}`)
      writeFileSync(filler, '')
      fillers.push(filler)
    }
  } catch {
    // None is left, as it is meant to be.
  }
  return () => { for (const filler of fillers) rmSync(filler) }
}

function mount (folder: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    // No right to mount.
    return false
  }
}
