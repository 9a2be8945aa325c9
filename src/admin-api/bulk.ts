import { Type, type Static } from '@sinclair/typebox'
import type { DeadLetter, ListedDelivery } from '../delivery/listing.js'
import type { Operator } from '../delivery/operator.js'
import { Problem } from '../errors/problem.js'
import { pause } from '../delivery/within.js'

const closed = { additionalProperties: false }
/** No length limit: a forwarder's reason may be long, and the body limit bounds it. */
const Reason = Type.String()
export const From = Type.Union([Type.Literal('dead letters'), Type.Literal('quarantine')])
const Rate = Type.Integer({ minimum: 1, maximum: 1000, default: 10, description: 'How many deliveries a second at most.' })

/** A bulk action on all deliveries with the same reason. */
export const BulkRequestSchema = Type.Union([
  Type.Object({ from: Type.Literal('dead letters'), action: Type.Union([Type.Literal('replay'), Type.Literal('discard')]), forwarder: Type.String({ minLength: 1, maxLength: 200 }), reason: Reason, ratePerSecond: Type.Optional(Rate) }, closed),
  Type.Object({ from: Type.Literal('quarantine'), action: Type.Union([Type.Literal('release'), Type.Literal('discard')]), reason: Reason, ratePerSecond: Type.Optional(Rate) }, closed)
])

export const ReasonsSchema = Type.Object({
  reasons: Type.Array(Type.Object({
    from: From,
    forwarder: Type.Optional(Type.String({ description: 'The forwarder of the dead letters.' })),
    reason: Type.String(),
    count: Type.Integer({ minimum: 1 })
  }, closed), { description: 'The most frequent first.' }),
  complete: Type.Boolean({ description: 'Whether all deliveries were counted. Of a very long list only the newest are.' })
}, closed)

export const BulkJobSchema = Type.Object({
  id: Type.Integer({ minimum: 1 }),
  from: From,
  action: Type.Union([Type.Literal('replay'), Type.Literal('release'), Type.Literal('discard')]),
  forwarder: Type.Optional(Type.String()),
  reason: Type.String(),
  ratePerSecond: Rate,
  startedAt: Type.String({ format: 'date-time' }),
  total: Type.Integer({ minimum: 0 }),
  gone: Type.Integer({ minimum: 0, description: 'How many deliveries were processed.' }),
  done: Type.Integer({ minimum: 0, description: 'For how many of these the action succeeded. The others were gone or could not be changed.' }),
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('stopped'), Type.Literal('failed')])
}, { $id: 'BulkJob', ...closed, description: 'A bulk action: it changes many deliveries at a rate. It ends if the service stops.' })

export type BulkRequest = Static<typeof BulkRequestSchema>
export type Reasons = Static<typeof ReasonsSchema>
export type BulkJob = Static<typeof BulkJobSchema>

export interface BulkOptions {
  readonly operator: Pick<Operator, 'deadLetterPage' | 'page' | 'replay' | 'release' | 'discard'>
  readonly onChange: () => void
  readonly now: () => number
  /** Resolves after `ms`, or as soon as the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface Bulk {
  readonly reasons: (from?: BulkRequest['from']) => Promise<Reasons>
  /**
   * Starts a bulk action. Calls `ended` once.
   * @throws {Problem} BULK_TOO_MANY
   */
  readonly start: (request: BulkRequest, ended: (job: BulkJob) => void) => Promise<BulkJob>
  readonly jobs: () => readonly BulkJob[]
  /** Stops a job; `undefined` if there is no such job. */
  readonly stop: (id: number) => BulkJob | undefined
  /** Stops all running jobs. */
  readonly close: () => void
}

interface Item {
  readonly from: BulkRequest['from']
  readonly sequence: number
  readonly forwarder?: string
  readonly reason: string
}

const PAGE = 200
/** How many deliveries one bulk action reads at most, and so changes at most. */
const MAX_ITEMS = 20_000
/** How many deliveries are read to count reasons. Lower, because the page counts them often. */
const MAX_COUNTED = 5000
const MAX_RUNNING = 5
const MAX_KEPT = 20
/** How many deliveries go into one call of the store. */
const MAX_AT_ONCE = 50
const DEFAULT_RATE = 10

/** Runs replays, releases and discards on many deliveries at a rate, and reports progress. */
export function createBulk ({ operator, onChange, now, sleep = pause }: BulkOptions): Bulk {
  let jobs: Array<{ job: BulkJob, readonly stop: AbortController }> = []
  let lastId = 0

  async function items (from: BulkRequest['from'], most: number, forwarder?: string): Promise<{ readonly found: readonly Item[], readonly complete: boolean }> {
    const found: Item[] = []
    let before: number | undefined
    do {
      const page = from === 'dead letters'
        ? await operator.deadLetterPage({ forwarder, before, limit: PAGE })
        : await operator.page({ filter: { status: 'quarantined' }, before, limit: PAGE })
      found.push(...page.items.flatMap(toItem))
      before = page.next
    } while (before !== undefined && found.length < most)
    return { found, complete: before === undefined }
  }

  async function act (request: BulkRequest, sequences: readonly number[]): Promise<number> {
    switch (request.action) {
      case 'replay': {
        const { replays } = await operator.replay({ sequences, forwarders: [request.forwarder], force: false, finishedOnly: false, description: 'dead letters, asked for by their reason at the operator\'s listener', dryRun: false })
        return replays
      }
      case 'release': return (await operator.release({ sequences, force: true })).filter(({ status }) => status === 'released').length
      case 'discard': {
        const what = request.from === 'quarantine' ? { from: request.from, sequences } : { from: request.from, forwarder: request.forwarder, sequences }
        return (await operator.discard(what)).filter(({ status }) => status === 'discarded').length
      }
    }
  }

  async function run (request: BulkRequest, sequences: readonly number[], entry: { job: BulkJob, readonly stop: AbortController }): Promise<BulkJob['state']> {
    const { ratePerSecond } = entry.job
    const size = Math.min(MAX_AT_ONCE, ratePerSecond)
    for (let at = 0; at < sequences.length; at += size) {
      if (at > 0) await sleep(1000 * size / ratePerSecond, entry.stop.signal)
      if (entry.stop.signal.aborted) return 'stopped'
      const part = sequences.slice(at, at + size)
      const done = await act(request, part)
      entry.job = { ...entry.job, gone: entry.job.gone + part.length, done: entry.job.done + done }
      onChange()
    }
    return 'done'
  }

  return {
    async reasons (from) {
      const lists = await Promise.all((['dead letters', 'quarantine'] as const).filter((each) => from === undefined || each === from).map(async (each) => await items(each, MAX_COUNTED)))
      const counts = new Map<string, Reasons['reasons'][number]>()
      for (const { sequence: _, ...item } of lists.flatMap(({ found }) => found)) {
        const key = JSON.stringify(item)
        counts.set(key, { ...item, count: (counts.get(key)?.count ?? 0) + 1 })
      }
      return { reasons: [...counts.values()].sort((a, b) => b.count - a.count), complete: lists.every(({ complete }) => complete) }
    },

    async start (request, ended) {
      if (jobs.filter(({ job }) => job.state === 'running').length >= MAX_RUNNING) {
        throw new Problem('BULK_TOO_MANY', { detail: `${MAX_RUNNING} bulk actions are running. Wait until one ends, or stop one.`, headers: { 'retry-after': '10' } })
      }
      const { from, action, reason, ratePerSecond = DEFAULT_RATE } = request
      const entry: { job: BulkJob, readonly stop: AbortController } = {
        stop: new AbortController(),
        job: { id: ++lastId, from, action, ...(request.from === 'dead letters' ? { forwarder: request.forwarder } : {}), reason, ratePerSecond, startedAt: new Date(now()).toISOString(), total: 0, gone: 0, done: 0, state: 'running' }
      }
      // Forget the oldest ended jobs above the limit.
      const over = jobs.filter(({ job }) => job.state !== 'running')
      jobs = [...jobs.filter((each) => !over.slice(0, Math.max(0, jobs.length + 1 - MAX_KEPT)).includes(each)), entry]
      const end = (state: BulkJob['state']): void => {
        entry.job = { ...entry.job, state }
        ended(entry.job)
        onChange()
      }
      try {
        const { found } = await items(from, MAX_ITEMS, request.from === 'dead letters' ? request.forwarder : undefined)
        // Oldest first, in the order of arrival.
        const sequences = found.filter((item) => item.reason === reason).map(({ sequence }) => sequence).sort((a, b) => a - b)
        entry.job = { ...entry.job, total: sequences.length }
        run(request, sequences, entry).then(end, () => { end('failed') })
      } catch (error) {
        end('failed')
        throw error
      }
      return entry.job
    },

    jobs: () => jobs.map(({ job }) => job).reverse(),

    stop (id) {
      const entry = jobs.find(({ job }) => job.id === id)
      entry?.stop.abort()
      return entry?.job
    },

    close () { for (const { stop } of jobs) stop.abort() }
  }
}

/** Leaves out dead letters whose replay is already under way. */
function toItem (found: DeadLetter | ListedDelivery): Item[] {
  if ('diedAt' in found) return found.replaying ? [] : [{ from: 'dead letters', sequence: found.sequence, forwarder: found.forwarder, reason: found.reason }]
  const [fault] = found.faults
  return [{ from: 'quarantine', sequence: found.sequence, reason: fault === undefined ? found.verdict : `${fault.pointer} ${fault.message}`.trim() }]
}
