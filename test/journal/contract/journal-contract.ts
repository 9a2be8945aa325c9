import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Delivery } from '../../../src/delivery/delivery.js'
import type { Appended, Claim, Feed, FeedOptions, Journal } from '../../../src/delivery/journal.js'
import { Problem } from '../../../src/errors/problem.js'
import { eventually } from '../../support/eventually.js'
import { appendMany, sampleNewDelivery } from '../../support/sample-delivery.js'

export interface JournalUnderTest {
  /** Opens a journal on the same storage as before, once the one before is closed. */
  readonly open: () => Promise<Journal>
  /** How long a first delivery makes later copies duplicates, in milliseconds. */
  readonly dedupeWindowMs: number
  /** Asks for a delivery to be forwarded again. */
  readonly replay: (forwarder: string, sequences: readonly number[]) => Promise<void>
  /** The ids of a forwarder's dead letters. */
  readonly deadLetters: (forwarder: string) => Promise<readonly string[]>
  /** Removes a delivery as retention does, and not its key. */
  readonly removeDelivery: (id: string) => Promise<void>
  /** Makes every commit fail, until it is called with `false`. */
  readonly breakDisk: (broken: boolean) => void | Promise<void>
}

const options: FeedOptions = { forwarder: 'contract', order: 'none', start: 'beginning', onWork: () => {} }

/** Claims until there are so many, or the deadline is over. */
async function claimSome (feed: Feed, count: number): Promise<Claim[]> {
  const claims: Claim[] = []
  for (const deadline = Date.now() + 60_000; claims.length < count && Date.now() < deadline;) {
    claims.push(...(await feed.claim(count - claims.length)).claims)
    if (claims.length < count) await sleep(5)
  }
  return claims
}

async function forwardAll (feed: Feed, claims: readonly Claim[]): Promise<void> {
  await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
}

/** Comes again while it is refused, under a new id each time: the store is well again only a moment after what it waited for. */
async function appendAsSender (journal: Journal, delivery: Parameters<typeof sampleNewDelivery>[0]): Promise<Appended> {
  return await eventually(async () => await journal.append(sampleNewDelivery(delivery)).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== 'JOURNAL_UNAVAILABLE') throw error
    return undefined
  }), 'an append to succeed')
}

function ids (claims: readonly Claim[]): string[] {
  return claims.map(({ delivery }) => delivery.id)
}

/** Puts a journal through everything that the dispatcher and the ingress rely on, whatever keeps it. */
export function journalContract (t: Test, create: (t: Test) => Promise<JournalUnderTest>): void {
  function contract (title: string, run: (t: Test, engine: JournalUnderTest) => Promise<void>): void {
    t.test(title, async (t) => { await run(t, await create(t)) })
  }

  contract('what was appended is there after a restart, as it was', async (t, engine) => {
    const delivery = sampleNewDelivery({
      verdict: 'invalid',
      faults: [{ pointer: '/data', message: 'must be an object' }],
      headers: { 'content-type': 'application/json', traceparent: '00-1' },
      rawBody: Buffer.from([0, 255, 10, 13, 0xEF, 0xBB, 0xBF]),
      customerId: null,
      eventId: null
    })
    const first = await engine.open()
    t.strictSame(await first.append(delivery), { status: 'stored', id: delivery.id, verdict: 'invalid' })
    await first.close()

    const second = await engine.open()
    const [claim] = await claimSome(await second.openFeed(options), 1)
    const { sequence, duplicates, rawBody, ...found } = claim?.delivery as Delivery
    const { rawBody: sentBody, dedupeKey: _key, ...sent } = delivery
    t.match(found, sent)
    t.ok(Buffer.from(sentBody).equals(rawBody))
    t.ok(sequence > 0)
    t.equal(duplicates, 0)
    await second.close()
  })

  contract('an event without a body is stored, also where no other comes with it', async (t, engine) => {
    const journal = await engine.open()
    const delivery = sampleNewDelivery({ rawBody: new Uint8Array() })
    t.equal((await journal.append(delivery)).id, delivery.id)
    const [claim] = await claimSome(await journal.openFeed(options), 1)
    t.equal(claim?.delivery.id, delivery.id)
    t.equal(claim?.delivery.rawBody.byteLength, 0)
    await journal.close()
  })

  contract('a copy within the window is a duplicate, and is answered with the first one\'s id and verdict', async (t, engine) => {
    const journal = await engine.open()
    const first = sampleNewDelivery({ dedupeKey: 'same', verdict: 'invalid' })
    await journal.append(first)
    t.strictSame(await journal.append(sampleNewDelivery({ dedupeKey: 'same' })), { status: 'duplicate', id: first.id, verdict: 'invalid' })
    await journal.close()
    const again = await engine.open()
    t.equal((await again.append(sampleNewDelivery({ dedupeKey: 'same' }))).status, 'duplicate', 'the duplicate is recognised after a restart too')
    const [claim] = await claimSome(await again.openFeed(options), 1)
    t.equal(claim?.delivery.duplicates, 2)
    await again.close()
  })

  contract('a copy after the window is a delivery of its own, once the first has left the store', async (t, engine) => {
    const journal = await engine.open()
    const first = sampleNewDelivery({ dedupeKey: 'same', receivedAt: Date.now() - engine.dedupeWindowMs - 1000 })
    await journal.append(first)
    t.match(await journal.append(sampleNewDelivery({ dedupeKey: 'same' })), { status: 'duplicate', id: first.id }, 'a copy is a duplicate while the first delivery is stored')
    await engine.removeDelivery(first.id)
    t.equal((await journal.append(sampleNewDelivery({ dedupeKey: 'same' }))).status, 'stored')
    t.equal((await journal.append(sampleNewDelivery({ dedupeKey: 'same' }))).status, 'duplicate', 'the window starts again with the new delivery')
    await journal.close()
  })

  contract('a key that counts for a shorter time than others makes copies within that time alone', async (t, engine) => {
    const journal = await engine.open()
    const append = async (agoMs: number) => (await journal.append(sampleNewDelivery({ dedupeKey: 'short', dedupeWithinMs: 60_000, receivedAt: Date.now() - agoMs }))).status
    t.equal(await append(61_000), 'stored')
    t.equal(await append(59_000), 'stored')
    t.equal(await append(0), 'duplicate')
    await journal.close()
  })

  contract('the same event on two connections at once is one delivery', async (t, engine) => {
    const journal = await engine.open()
    const copies = Array.from({ length: 20 }, () => sampleNewDelivery({ dedupeKey: 'same' }))
    const appended = await Promise.all(copies.map(async (copy) => await journal.append(copy)))
    t.equal(appended.filter(({ status }) => status === 'stored').length, 1)
    t.equal(new Set(appended.map(({ id }) => id)).size, 1)
    await journal.close()
  })

  contract('different events with the same bytes are two deliveries where nothing tells them for copies', async (t, engine) => {
    const journal = await engine.open()
    const rawBody = Buffer.from('{"points":1}')
    for (let copy = 0; copy < 2; copy++) t.equal((await journal.append(sampleNewDelivery({ dedupeKey: null, rawBody }))).status, 'stored')
    await journal.close()
  })

  contract('deliveries come in the order of arrival, each once, and none beyond the limit', async (t, engine) => {
    const journal = await engine.open()
    const sent = await appendMany(journal, 2500)
    const feed = await journal.openFeed(options)
    const seen: string[] = []
    for (;;) {
      const { claims } = await feed.claim(100)
      t.ok(claims.length <= 100)
      if (claims.length === 0) break
      seen.push(...ids(claims))
      await forwardAll(feed, claims)
    }
    t.strictSame(seen, sent.map(({ id }) => id))
    await feed.close()
    await journal.close()
  })

  contract('what was claimed and not settled is handed out again after a restart', async (t, engine) => {
    const first = await engine.open()
    for (let index = 0; index < 3; index++) await first.append(sampleNewDelivery({ index }))
    const feed = await first.openFeed(options)
    const [done, ...left] = await claimSome(feed, 3)
    t.strictSame((await feed.claim(10)).claims, [], 'deliveries already claimed are not claimed again')
    if (done !== undefined) await feed.settle([{ claim: done, result: { status: 'forwarded' } }], 'here')
    await first.close()

    const second = await engine.open()
    const again = await second.openFeed(options)
    t.equal(again.position, 'here')
    t.strictSame(ids(await claimSome(again, 2)), ids(left))
    t.strictSame((await again.claim(10)).claims, [])
    await second.close()
  })

  contract('the deliveries of a customer go one after another, and other customers go on', async (t, engine) => {
    const journal = await engine.open()
    const customers = ['a', 'a', 'b', 'a', null, null]
    const sent = customers.map((customerId, index) => sampleNewDelivery({ index, customerId }))
    for (const delivery of sent) await journal.append(delivery)
    const feed = await journal.openFeed({ ...options, order: 'customer' })
    const [a1, b1, ...nobody] = await claimSome(feed, 4)
    t.strictSame(ids([a1, b1, ...nobody].filter((claim) => claim !== undefined)), [0, 2, 4, 5].map((index) => sent[index]?.id))
    t.strictSame((await feed.claim(10)).claims, [])
    if (a1 === undefined || b1 === undefined) return
    await feed.settle([{ claim: a1, result: { status: 'retry', reason: 'down', delayMs: 1000 } }, { claim: b1, result: { status: 'forwarded' } }])
    const waiting = await feed.claim(10)
    t.strictSame(waiting.claims, [], 'a retry holds back the customer\'s later deliveries')
    t.ok((waiting.dueInMs ?? 0) > 0)
    const later = await journal.append(sampleNewDelivery({ index: 9, customerId: 'a' }))
    const order: string[] = []
    for (let count = 0; count < 3; count++) {
      const [claim] = await claimSome(feed, 1)
      if (claim === undefined) break
      order.push(claim.delivery.id)
      t.strictSame((await feed.claim(10)).claims, [])
      await forwardAll(feed, [claim])
    }
    t.strictSame(order, [sent[0]?.id, sent[1]?.id, sent[3]?.id])
    t.strictSame(ids(await claimSome(feed, 1)), [later.id])
    await journal.close()
  })

  contract('a delivery that waits for its retry, and its lane behind it, wait after a restart too', async (t, engine) => {
    const first = await engine.open()
    const sent = ['a', 'a', 'b'].map((customerId, index) => sampleNewDelivery({ index, customerId }))
    for (const delivery of sent) await first.append(delivery)
    const feed = await first.openFeed({ ...options, order: 'customer' })
    const [a, b] = await claimSome(feed, 2)
    if (a === undefined || b === undefined) throw new Error('Expected two lanes')
    await feed.settle([
      { claim: a, result: { status: 'retry', reason: 'down', delayMs: 2000 }, record: { startedAt: Date.now(), durationMs: 3 } }, { claim: b, result: { status: 'forwarded' } }
    ])
    await first.close()

    const second = await engine.open()
    const again = await second.openFeed({ ...options, order: 'customer' })
    t.strictSame((await again.claim(10)).claims, [])
    const [retried] = await claimSome(again, 1)
    t.equal(retried?.delivery.id, sent[0]?.id)
    t.match(retried, { attempt: 2, waitedMs: 2000, replay: false })
    if (retried !== undefined) await forwardAll(again, [retried])
    t.strictSame(ids(await claimSome(again, 1)), [sent[1]?.id])
    await second.close()
  })

  contract('in arrival order a failure holds everything behind it', async (t, engine) => {
    const journal = await engine.open()
    const sent = Array.from({ length: 4 }, (_, index) => sampleNewDelivery({ index }))
    for (const delivery of sent) await journal.append(delivery)
    const feed = await journal.openFeed({ ...options, order: 'arrival' })
    const batch = await claimSome(feed, 2)
    t.strictSame((await feed.claim(2)).claims, [], 'the next batch waits until the first is settled')
    await feed.settle(batch.map((claim) => ({ claim, result: { status: 'retry', reason: 'full', delayMs: 1000 } })))
    t.strictSame((await feed.claim(10)).claims, [])
    t.strictSame(ids(await claimSome(feed, 4)), sent.map(({ id }) => id))
    await journal.close()
  })

  contract('what is given back without an attempt is due at once, with the same attempt', async (t, engine) => {
    const journal = await engine.open()
    const sent = [sampleNewDelivery({ index: 1 }), sampleNewDelivery({ index: 2 })]
    for (const delivery of sent) await journal.append(delivery)
    for (const order of ['none', 'customer', 'arrival'] as const) {
      const feed = await journal.openFeed({ ...options, forwarder: order, order })
      await feed.settle((await claimSome(feed, 2)).map((claim) => ({ claim, result: { status: 'returned' } })))
      const again = await claimSome(feed, 2)
      t.strictSame(new Set(ids(again)), new Set(sent.map(({ id }) => id)), order)
      t.strictSame(again.map(({ attempt }) => attempt), [1, 1])
      await feed.settle(again.map((claim) => ({ claim, result: { status: 'skipped' } })))
      t.strictSame((await feed.claim(2)).claims, [])
      await t.rejects(feed.settle(again.map((claim) => ({ claim, result: { status: 'skipped' } }))), TypeError)
    }
    await journal.close()
  })

  contract('a dead letter is kept, never handed out by itself, and gone once a replay went through', async (t, engine) => {
    const first = await engine.open()
    const { id } = await first.append(sampleNewDelivery({}))
    const orders = ['none', 'customer', 'arrival'] as const
    for (const order of orders) {
      const feed = await first.openFeed({ ...options, forwarder: order, order })
      const claims = await claimSome(feed, 1)
      await feed.settle(claims.map((claim) => ({ claim, result: { status: 'dead', reason: 'never' }, record: { startedAt: Date.now(), durationMs: 1 } })))
      t.strictSame(await engine.deadLetters(order), [id])
    }
    await first.close()
    const second = await engine.open()
    for (const order of orders) {
      const feed = await second.openFeed({ ...options, forwarder: order, order })
      t.strictSame((await feed.claim(10)).claims, [])
      await engine.replay(order, [1])
      const replayed = await claimSome(feed, 1)
      t.match(replayed, [{ replay: true, attempt: 1, delivery: { id } }])
      await forwardAll(feed, replayed)
      t.strictSame(await engine.deadLetters(order), [])
    }
    await second.close()
  })

  contract('a second replay on purpose is no duplicate', async (t, engine) => {
    const journal = await engine.open()
    const { id } = await journal.append(sampleNewDelivery({}))
    for (const order of ['customer', 'arrival'] as const) {
      const feed = await journal.openFeed({ ...options, forwarder: order, order })
      const first = await claimSome(feed, 1)
      await forwardAll(feed, first)
      const sequences = first.map(({ delivery }) => delivery.sequence)
      await engine.replay(order, sequences)
      await engine.replay(order, sequences)
      for (let time = 0; time < 2; time++) {
        const replayed = await claimSome(feed, 1)
        t.strictSame(ids(replayed), [id])
        t.equal(replayed[0]?.replay, true)
        await forwardAll(feed, replayed)
      }
    }
    await journal.close()
  })

  contract('a replay of a delivery that waits for its retry is one more delivery of it, and both survive a restart', async (t, engine) => {
    const journal = await engine.open()
    const { id } = await journal.append(sampleNewDelivery({}))
    const feed = await journal.openFeed(options)
    const [claim] = await claimSome(feed, 1)
    if (claim === undefined) throw new Error('Expected a claim')
    await feed.settle([{ claim, result: { status: 'retry', reason: 'down', delayMs: 60 } }])
    await engine.replay(options.forwarder, [claim.delivery.sequence])
    await journal.close()
    const second = await engine.open()
    const claims = await claimSome(await second.openFeed(options), 2)
    t.strictSame(ids(claims), [id, id])
    t.strictSame(claims.map(({ replay }) => replay).sort(), [false, true])
    await second.close()
  })

  contract('a forwarder that is new starts now or at the beginning', async (t, engine) => {
    const journal = await engine.open()
    const before = await journal.append(sampleNewDelivery({ index: 1 }))
    const now = await journal.openFeed({ ...options, forwarder: 'now', start: 'now' })
    const after = await journal.append(sampleNewDelivery({ index: 2 }))
    const beginning = await journal.openFeed({ ...options, forwarder: 'beginning' })
    t.strictSame(ids(await claimSome(now, 1)), [after.id])
    t.strictSame(ids(await claimSome(beginning, 2)), [before.id, after.id])
    await journal.close()
  })

  contract('a forwarder that is taken away and comes back goes on where it was', async (t, engine) => {
    const first = await engine.open()
    const feed = await first.openFeed(options)
    const one = await first.append(sampleNewDelivery({ index: 1 }))
    const claims = await claimSome(feed, 1)
    await feed.settle(claims.map((claim) => ({ claim, result: { status: 'retry', reason: 'down', delayMs: 1 } })))
    await first.close()
    const without = await engine.open()
    const two = await without.append(sampleNewDelivery({ index: 2 }))
    await without.close()
    const back = await engine.open()
    const again = await back.openFeed({ ...options, start: 'now' })
    t.strictSame(new Set(ids(await claimSome(again, 2))), new Set([one.id, two.id]))
    await back.close()
  })

  contract('what is quarantined is not handed out, however much of it there is', async (t, engine) => {
    const journal = await engine.open()
    const feed = await journal.openFeed(options)
    await appendMany(journal, 2000, { quarantined: true })
    const { id } = await journal.append(sampleNewDelivery({}))
    t.strictSame(ids((await feed.claim(5)).claims), [id])
    const other = await journal.openFeed({ ...options, forwarder: 'other' })
    t.strictSame(ids((await other.claim(5)).claims), [id])
    await journal.close()
  })

  contract('what was answered 503 is not stored, and its retry is not a duplicate', async (t, engine) => {
    const journal = await engine.open()
    const feed = await journal.openFeed(options)
    await engine.breakDisk(true)
    const delivery = sampleNewDelivery({ dedupeKey: 'retried' })
    await t.rejects(journal.append(delivery), { code: 'JOURNAL_UNAVAILABLE', status: 503, headers: { 'retry-after': /^\d+$/ } })
    await engine.breakDisk(false)
    const retried = await appendAsSender(journal, { dedupeKey: 'retried' })
    t.equal(retried.status, 'stored')
    t.strictSame(ids(await claimSome(feed, 1)), [retried.id])
    await journal.close()
    const second = await engine.open()
    t.strictSame(ids(await claimSome(await second.openFeed({ ...options, forwarder: 'another' }), 1)), [retried.id])
    await second.close()
  })

  contract('progress that the disk does not take is kept and written later', async (t, engine) => {
    const journal = await engine.open()
    await journal.append(sampleNewDelivery({}))
    const feed = await journal.openFeed(options)
    const claims = await claimSome(feed, 1)
    await engine.breakDisk(true)
    let kept = false
    const settled = forwardAll(feed, claims).then(() => { kept = true })
    await t.rejects(journal.append(sampleNewDelivery({})), { code: 'JOURNAL_UNAVAILABLE' })
    t.equal(kept, false)
    await engine.breakDisk(false)
    await settled
    await journal.close()
  })

  contract('a wait or a detail that is nonsense keeps nobody\'s progress from the disk', async (t, engine) => {
    const journal = await engine.open()
    const feed = await journal.openFeed(options)
    for (let index = 0; index < 3; index++) await journal.append(sampleNewDelivery({ index }))
    const [one, two, three] = await claimSome(feed, 3)
    if (one === undefined || two === undefined || three === undefined) throw new Error('Expected three claims')
    const nonsense: unknown = { status: 'forwarded', detail: { deep: true } }
    await feed.settle([
      { claim: one, result: { status: 'retry', reason: 'x', delayMs: NaN } }, { claim: two, result: { status: 'retry', reason: 'x', delayMs: Infinity } },
      { claim: three, result: nonsense as { status: 'forwarded' }, record: { startedAt: Date.now(), durationMs: 1 } }
    ])
    t.equal((await journal.append(sampleNewDelivery({}))).status, 'stored')
    await journal.close()
  })

  contract('the journal wakes a feed when there is more', async (t, engine) => {
    const journal = await engine.open()
    let woken = 0
    const feed = await journal.openFeed({ ...options, onWork: () => { woken++ } })
    t.strictSame((await feed.claim(1)).claims, [])
    const { id } = await journal.append(sampleNewDelivery({}))
    t.ok(woken > 0)
    t.strictSame(ids((await feed.claim(1)).claims), [id])
    await journal.close()
  })

  contract('closing keeps what was settled before, and refuses what comes after', async (t, engine) => {
    const journal = await engine.open()
    await journal.append(sampleNewDelivery({}))
    const feed = await journal.openFeed(options)
    const claims = await claimSome(feed, 1)
    const settled = forwardAll(feed, claims)
    await feed.close()
    await settled
    t.strictSame((await feed.claim(1)).claims, [])
    await Promise.all([journal.close(), journal.close()])
    await t.rejects(journal.append(sampleNewDelivery({})), { code: 'JOURNAL_UNAVAILABLE' })
    await t.rejects(feed.noteBreaker('open'))
    const second = await engine.open()
    t.strictSame((await (await second.openFeed(options)).claim(1)).claims, [])
    await second.close()
  })
}
