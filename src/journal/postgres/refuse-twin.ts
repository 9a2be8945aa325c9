import { pause } from '../../delivery/within.js'
import type { Member } from './accept-engine.js'
import { DatabaseError, type Database } from './database.js'

export interface TwinOptions {
  readonly database: Database
  readonly member: Member
  /** Tells that this replica is alive: a twin that starts at the same time is to see it. */
  readonly pulse: () => Promise<void>
  readonly monotonic: () => number
  readonly signal: AbortSignal
}

/** How long it is looked whether another replica of the name is alive, of those that were so long ago; in milliseconds. */
const LOOK_MS = 3000
const SEEN_MS = 10_000
const POLL_MS = 250

/**
 * Refuses to start beside a replica of the same name: both would be the home of the same file forwarders. One that was killed pulses no more, and one
 * that was stopped is not in the way.
 * @throws {DatabaseError}
 */
export async function refuseTwin ({ database: { query, schema: s }, member: { id, name }, pulse, monotonic, signal }: TwinOptions): Promise<void> {
  const others = async (): Promise<ReadonlyMap<string, number>> => new Map((await query<{ id: string, at: number }>(
    `SELECT id, seen_at AS at FROM ${s}.members WHERE name = $1 AND id <> $2 AND seen_at > ${s}.now_ms() - $3::int`, [name, id, SEEN_MS])).map(({ id, at }) => [id, at]))
  const first = await others()
  let left = first
  for (const until = monotonic() + LOOK_MS; left.size > 0 && monotonic() < until && !signal.aborted; left = await others()) {
    if ([...left].some(([id, at]) => at > (first.get(id) ?? at))) {
      await query(`DELETE FROM ${s}.members WHERE id = $1`, [id])
      throw new DatabaseError('REPLICA_NAME_TAKEN', `A replica that runs is called ${name} too: set REPLICA_NAME, which is the machine's name by default, to another name for each`)
    }
    await pause(POLL_MS, signal)
    await pulse()
  }
}
