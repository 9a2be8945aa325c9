import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createEventFile, type EventFileOptions } from '../../../../src/forwarders/file/event-file.js'
import type { Unfinished } from '../../../../src/forwarders/file/file-part.js'
import type { FilePosition } from '../../../../src/forwarders/file/file-position.js'
import { captureLog } from '../../../support/capture-log.js'

/** An event file in a folder of its own, and what is in the folder. */
export function fileIn (t: Test, overrides: Partial<EventFileOptions> = {}) {
  const path = overrides.path ?? join(t.testdir(), 'events.ndjson')
  const log = captureLog()
  const options = { path, rotateBytes: 0, keepDays: 0, now: Date.now, logger: log.logger, ...overrides }
  return {
    path,
    log,
    content: () => readFileSync(path, 'utf8'),
    /** What is in the files that were set aside. */
    aside: () => readdirSync(join(path, '..')).filter((name) => name.includes('.set-aside-')).sort().map((name) => readFileSync(join(path, '..', name), 'utf8')),
    rotated: () => readdirSync(join(path, '..')).filter((name) => /Z$/.test(name)).sort(),
    /** What a process does that starts after the one before has ended, however that was. */
    async open (position?: FilePosition, { unfinished, ...more }: Partial<EventFileOptions> & { readonly unfinished?: Unfinished } = {}) {
      const file = createEventFile({ ...options, ...more })
      await file.start(position, unfinished)
      t.teardown(async () => { await file.close() })
      return { ...file, append: async (lines: string, signal: AbortSignal) => await file.append(Buffer.from(lines), signal) }
    }
  }
}
