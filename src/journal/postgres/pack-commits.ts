import type { FeedCommit } from '../engine.js'
import type { Change } from '../schedule.js'
import { soundJson } from './sound-json.js'

/** Packs progress in the format of the function that stores it. Only the last change of each mark and each dead letter is kept. */
export function packCommits (commits: readonly FeedCommit[]): string {
  return soundJson(commits.map(({ forwarder, term, cursor, position, breaker, changes, records }) => ({
    forwarder,
    term,
    cursor,
    position: position ?? null,
    breaker: breaker ?? null,
    ...packChanges(changes, new Set(records.filter(({ outcome }) => outcome === 'skipped').map(({ replay, sequence }) => placeOf({ replay, sequence })))),
    records: records.map(({ startedAt, ...record }) => ({ ...record, startedAt: Math.round(startedAt) }))
  })))
}

function placeOf ({ replay, sequence }: { readonly replay: number, readonly sequence: number }): string {
  return `${replay} ${sequence}`
}

/** @param skipped deliveries that the forwarder's filter did not let through */
function packChanges (changes: readonly Change[], skipped: ReadonlySet<string>) {
  const marks = new Map<string, Change>()
  const letters = new Map<number, Change>()
  for (const change of changes) {
    const { entry } = change
    marks.set(placeOf(entry), change)
    // A delivery that is finished in a replay is no longer a dead letter. A delivery that the filter skipped was not forwarded, so it stays one.
    if (change.type === 'dead' || (change.type === 'finish' && entry.replay > 0 && !skipped.has(placeOf(entry)))) letters.set(entry.sequence, change)
  }
  const last = [...marks.values()]
  return {
    waits: last.flatMap((change) => {
      if (change.type !== 'wait') return []
      const { replay, sequence, lane, attempt, waitedMs } = change.entry
      return [{ replay, sequence, lane, attempt, waited: Math.round(waitedMs), delay: Math.round(change.delayMs), reason: change.reason }]
    }),
    ends: last.flatMap(({ type, entry: { replay, sequence } }) => type === 'wait' ? [] : [{ replay, sequence }]),
    dead: [...letters.values()].flatMap((change) => change.type === 'dead' ? [{ sequence: change.entry.sequence, attempts: change.entry.attempt, reason: change.reason }] : []),
    revived: [...letters].flatMap(([sequence, { type }]) => type === 'finish' ? [sequence] : [])
  }
}
