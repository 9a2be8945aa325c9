import t from 'tap'
import type { RecordedAttempt } from '../../../src/journal/feed-store.js'
import { countRecords, packProgress, recordAt } from '../../../src/journal/sqlite/packed-progress.js'

t.test('attempts come out as they were packed, also what is no whole number and what has no detail', async (t) => {
  const records: readonly RecordedAttempt[] = [
    { sequence: 2 ** 53 - 1, replay: 0, attempt: 1, startedAt: 1_700_000_000_123, durationMs: 0.1, outcome: 'forwarded', detail: 'status 204' },
    { sequence: 2, replay: 7, attempt: 12, startedAt: 0, durationMs: 15_000.25, outcome: 'retry', detail: 'forwarded' },
    { sequence: 3, replay: 0, attempt: 1, startedAt: 1, durationMs: 1, outcome: 'dead', detail: null },
    { sequence: 4, replay: 0, attempt: 1, startedAt: 1, durationMs: 1, outcome: 'forwarded', detail: '' }
  ]
  const { records: packed, ...rest } = structuredClone(packProgress({ forwarder: 'f', cursor: 5, position: 'p', breaker: 'open', changes: [], records }))
  t.strictSame(rest, { forwarder: 'f', cursor: 5, position: 'p', breaker: 'open', changes: [] })
  t.strictSame(Array.from({ length: countRecords(packed) }, (_each, index) => recordAt(packed, index)), records.map(
    ({ sequence, replay, attempt, startedAt, durationMs, outcome, detail }) => [sequence, replay, attempt, startedAt, durationMs, outcome, detail]
  ))
  t.equal(countRecords(packProgress({ forwarder: 'f', cursor: 0, position: undefined, breaker: undefined, changes: [], records: [] }).records), 0)
})
