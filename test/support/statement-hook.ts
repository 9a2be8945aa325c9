import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { sqlite } from '../../src/journal/sqlite/binding.js'

/** Called before and after each statement that changes something. May throw in place of the statement or after it. */
export type StatementHook = (moment: 'before' | 'after', sql: string, db: DatabaseSyncInstance | undefined) => void

/** Intercepts the statements to SQLite in this process, until the returned function is called. */
export function hookStatements (hook: StatementHook): () => void {
  const probe = new (sqlite().DatabaseSync)(':memory:')
  const databases = Object.getPrototypeOf(probe) as object
  const statements = Object.getPrototypeOf(probe.prepare('SELECT 1')) as object
  probe.close()
  const exec = Reflect.get(databases, 'exec') as (this: unknown, sql: string) => void
  const run = Reflect.get(statements, 'run') as (this: unknown, ...parameters: unknown[]) => unknown

  Reflect.set(databases, 'exec', function (this: DatabaseSyncInstance, sql: string) {
    hook('before', sql, this)
    Reflect.apply(exec, this, [sql])
    hook('after', sql, this)
  })
  Reflect.set(statements, 'run', function (this: unknown, ...parameters: unknown[]) {
    hook('before', 'statement', undefined)
    const result = Reflect.apply(run, this, parameters)
    hook('after', 'statement', undefined)
    return result
  })
  return () => {
    Reflect.set(databases, 'exec', exec)
    Reflect.set(statements, 'run', run)
  }
}
