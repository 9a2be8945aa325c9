import { tmpdir } from 'node:os'
import { pino } from 'pino'
import type { ForwarderContext } from '../forwarders/own-forwarder.js'

/** What `createForwarder` is called with in a test: a name, a folder, and a logger that says nothing, unless they are given. */
export function forwarderContext (given: Partial<ForwarderContext> = {}): ForwarderContext {
  return { name: 'own', folder: tmpdir(), logger: pino({ level: 'silent' }), ...given }
}
