import type { Test } from 'tap'
import type { AcceptEngine } from '../../src/journal/engine.js'
import { createPostgresAcceptEngine, type PostgresAcceptOptions } from '../../src/journal/postgres/accept-engine.js'

/** Opens the accepting side of PostgreSQL's engine, without a forwarding side. It is closed when the test ends. A defect fails the test. */
export async function openAcceptEngine (t: Test, options: Omit<PostgresAcceptOptions, 'onStored'>): Promise<AcceptEngine> {
  const engine = createPostgresAcceptEngine({ ...options, onStored: () => {} })
  const stop = new AbortController()
  engine.listen({ onCommit: () => {}, onAvailable: () => {}, onUnavailable: () => {}, onDefect: (error) => { t.fail(String(error)) } }, stop.signal)
  t.teardown(async () => {
    stop.abort()
    await engine.close(1000)
  })
  await engine.open()
  return engine
}
