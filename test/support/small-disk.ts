import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const MOUNT_BYTES = 256 * 1024 * 1024

/** A small file system that can really be full. */
export interface SmallDisk {
  readonly fill: () => void
  readonly empty: () => void
  readonly unmount: () => void
}

/** Mounts a small file system over an empty folder; `undefined` without the right to mount. */
export function mountSmallDisk (folder: string, bytes = MOUNT_BYTES): SmallDisk | undefined {
  if (!mount(folder, `size=${bytes}`)) return undefined
  const filler = join(folder, 'filler')
  return {
    fill () {
      const { bavail, bsize } = statfsSync(folder)
      try {
        writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize)), { flag: existsSync(filler) ? 'a' : 'w' })
      } catch {
        // The disk is full now, as intended.
      }
    },
    empty () { rmSync(filler, { force: true }) },
    unmount () { execFileSync('umount', ['-l', folder]) }
  }
}

/** Mounts a folder as a separate file system during a test, with options such as `size=8m,nr_inodes=12`; `undefined` without the right to mount. */
export function mountedFolder (t: Test, options: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-disk-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  if (!mount(folder, options)) return undefined
  t.teardown(() => { execFileSync('umount', ['-l', folder]) })
  return folder
}

/** Uses up all inodes of a file system. Returns a function that frees them. */
export function fillInodes (folder: string): () => void {
  const fillers: string[] = []
  try {
    for (;;) {
      const filler = join(folder, `filler-${fillers.length}`)
      writeFileSync(filler, '')
      fillers.push(filler)
    }
  } catch {
    // All inodes are used up, as intended.
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
