import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '../src/journal/sqlite/binding.js'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { spreadOf } from './summary.js'

export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGibibytes: number
  readonly system: string
  readonly versions: Readonly<Record<'node' | 'fastify' | 'undici' | 'sqlite', string>>
  /** The median time that the disk takes to sync 4 KiB, in milliseconds. */
  readonly fsyncMs: number
  readonly loadAverage: number
}

const FSYNCS = 50
const PackageFile = Type.Object({ version: Type.String() })

/** @param directory where the journals will be */
export function describeMachine (directory: string): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: availableParallelism(),
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    versions: { node: process.versions.node, fastify: versionOf('fastify'), undici: versionOf('undici'), sqlite: sqliteVersion() },
    fsyncMs: fsyncMs(directory),
    loadAverage: loadavg()[0] ?? 0
  }
}

function sqliteVersion (): string {
  const db = new (sqlite().DatabaseSync)(':memory:')
  return String(Object.values(Object(db.prepare('SELECT sqlite_version()').get()))[0])
}

function versionOf (name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? []
  for (const path of paths) {
    try {
      const content: unknown = JSON.parse(readFileSync(join(path, name, 'package.json'), 'utf8'))
      if (Value.Check(PackageFile, content)) return content.version
    } catch {
      // The package is in another of the folders.
    }
  }
  return 'unknown'
}

function fsyncMs (directory: string): number {
  const file = openSync(join(directory, 'fsync'), 'w')
  const block = Buffer.alloc(4096, 1)
  const times: number[] = []
  for (let count = 0; count < FSYNCS; count++) {
    const before = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - before)
  }
  closeSync(file)
  return spreadOf(times).median
}
