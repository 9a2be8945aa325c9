import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface FaultyDisk {
  /** The environment variables of the process that gets this disk. */
  readonly environment: Readonly<Record<string, string>>
  /**
   * Sets what happens to the database's files from now on, such as `sync stall 6000` or `write ENOSPC 0`. With `once` at the end it happens
   * one time. With `once ev_1` it happens one time at the sync of a write that contains `ev_1`, because forwarders save their progress at
   * their own times.
   */
  readonly order: (order: string) => void
  /** Whether an order for one time has been carried out, or is being carried out. */
  readonly isTaken: () => boolean
  readonly heal: () => void
  /** Makes the wall clock this many seconds wrong. */
  readonly setClock: (seconds: number) => void
}

const source = fileURLToPath(new URL('faulty-disk.c', import.meta.url))

/**
 * Makes a disk that stalls or fails on command, and a clock that steps. It uses a preloaded library that replaces system calls. It needs Linux
 * and a C compiler, but no special rights.
 * @param folder the folder for the library, which must not be the data folder
 */
export function createFaultyDisk (folder: string, dataDir: string): FaultyDisk {
  const library = join(folder, 'faulty-disk.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  const orders = join(folder, 'order')
  const clock = join(folder, 'clock')
  writeFileSync(clock, Buffer.alloc(8))
  return {
    environment: { LD_PRELOAD: library, FAULTY_DISK_FOLDER: dataDir, FAULTY_DISK_ORDER: orders, FAULTY_CLOCK: clock },
    order: (order) => { writeFileSync(orders, order) },
    isTaken: () => !existsSync(orders),
    heal: () => { rmSync(orders, { force: true }) },
    setClock (seconds) {
      const offset = Buffer.alloc(8)
      offset.writeBigInt64LE(BigInt(seconds))
      // Written in place, because the processes have the file mapped into memory.
      const file = openSync(clock, 'r+')
      writeSync(file, offset, 0, 8, 0)
      closeSync(file)
    }
  }
}
