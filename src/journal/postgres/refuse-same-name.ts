import { pause } from '../../delivery/within.js'
import type { Member } from './accept-engine.js'
import { DatabaseError, type Database } from './database.js'

export interface SameNameOptions {
  readonly database: Database
  readonly member: Member
  /** Marks this replica as alive, so that a twin that starts at the same time can see it. */
  readonly pulse: () => Promise<void>
  readonly monotonic: () => number
  readonly signal: AbortSignal
}

/** How long the start watches another replica of the same name, and how recently that replica must have been alive to be watched, in milliseconds. */
const LOOK_MS = 3000
const SEEN_MS = 10_000
const POLL_MS = 250

/**
 * Refuses to start next to a replica of the same name, because both would be the home of the same file forwarders. A replica that was killed
 * gives no more signs of life, and one that was stopped properly does not block the start.
 * @throws {DatabaseError}
 */
export async function refuseSameName ({ database: { query, schema: s }, member: { id, name }, pulse, monotonic, signal }: SameNameOptions): Promise<void> {
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
