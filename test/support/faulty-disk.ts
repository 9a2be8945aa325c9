import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface FaultyDisk {
  /** For the process whose disk it is to be. */
  readonly environment: Readonly<Record<string, string>>
  /**
   * What happens to the database's files from now on, such as `sync stall 6000` or `write ENOSPC 0`; `once` at the end: one time; `once ev_1`: one
   * time, at the sync of what holds `ev_1`, since forwarders save their progress at times of their own.
   */
  readonly order: (order: string) => void
  /** Whether the order that was for one time has been carried out, or is being. */
  readonly isTaken: () => boolean
  readonly heal: () => void
  /** Sets the wall clock this many seconds off. */
  readonly setClock: (seconds: number) => void
}

const source = fileURLToPath(new URL('faulty-disk.c', import.meta.url))

/**
 * A disk that stalls or fails on order, and a clock that steps, by a library that is loaded before all others and takes the place of the system's
 * calls. It needs a C compiler and Linux, and no rights.
 * @param folder where the library is put; the data folder is another one
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
      // In place: it is mapped into the memory of those who look at it.
      const file = openSync(clock, 'r+')
      writeSync(file, offset, 0, 8, 0)
      closeSync(file)
    }
  }
}
