import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { commands, type Command } from './commands.js'
import type { ModelEngine } from './engine.js'
import { sqliteEngine } from './sqlite-engine.js'
import { World } from './world.js'

export interface ModelOptions {
  /** What the journal is kept in; SQLite where absent. */
  readonly engine?: ModelEngine
  readonly seed: number
  readonly runs: number
  /** Goes to one run, as a failure prints it. */
  readonly path?: string | undefined
  readonly replayPath?: string | undefined
  readonly onRun?: (run: number) => void
  /** No run is begun later than this, in milliseconds from now. */
  readonly withinMs?: number
}

const MAX_COMMANDS = 40
/** When shrinking has taken this long, in milliseconds, what has been found is reported. */
const SHRINK_MS = 60_000
/** As much of the service's own log as a failure shows. */
const LOG_LINES = 12

/** Lets this happen, one after another, and at the end everything be well and drained. Rejects with everything that broke a promise. */
export async function goThrough (happenings: Iterable<Command>, { engine = sqliteEngine, random = 1 }: { readonly engine?: ModelEngine, readonly random?: number } = {}): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'tierhook-model-'))
  await engine.prepare()
  const world = new World(engine, base, random)
  try {
    await world.start()
    await world.settle()
    await fc.asyncModelRun(() => ({ model: world.history, real: world }), happenings)
    await world.drain()
  } catch (error) {
    const log = world.log.lines.slice(-LOG_LINES).map((line) => JSON.stringify(line).slice(0, 500)).join('\n')
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\nThe log ends with:\n${log}`, { cause: error })
  } finally {
    await world.close()
    rmSync(base, { recursive: true, force: true })
  }
}

/** Goes through runs made from a seed. Rejects with the shortest one found that fails, with its seed and path. */
export async function runModel ({ engine = sqliteEngine, seed, runs, path, replayPath, onRun, withinMs = Infinity }: ModelOptions): Promise<void> {
  let run = 0
  const deadline = performance.now() + withinMs
  let failedAt: number | undefined
  await fc.assert(fc.asyncProperty(fc.commands(commands, { maxCommands: MAX_COMMANDS, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) }), async (happenings) => {
    if (failedAt !== undefined && performance.now() - failedAt > SHRINK_MS) return
    if (failedAt === undefined && performance.now() > deadline) return
    onRun?.(++run)
    try {
      await goThrough(happenings, { engine })
    } catch (error) {
      failedAt ??= performance.now()
      throw error
    }
  }), { seed, numRuns: runs, ...(path === undefined ? {} : { path }) })
}
