import t from 'tap'
import type { FeedCommit, ForwardEngine, ForwardEvents, SaveResult } from '../../src/journal/engine.js'
import { createFeeds } from '../../src/journal/feeds.js'
import { captureLog } from '../support/capture-log.js'
import { eventuallyTrue } from '../support/eventually.js'
import { createMemoryStore } from '../support/memory-store.js'

/** An engine whose leads others can take. */
function shared () {
  const monotonic = (): number => performance.now()
  const store = createMemoryStore(monotonic, () => 0)
  const saved: FeedCommit[] = []
  const given: string[] = []
  let events: ForwardEvents | undefined
  let term = 0
  const engine: ForwardEngine = {
    ...store,
    listen: (told) => { events = told },
    lead: async () => ({ ...store.progress(), term: ++term }),
    giveUp: async (forwarder, inTerm) => { given.push(`${forwarder} ${inTerm}`) },
    save: async (progress) => progress.map((each): SaveResult => {
      if (each.term < term) return 'lost'
      saved.push(each)
      return 'saved'
    }),
    unfinished: async () => [],
    close () {}
  }
  const log = captureLog()
  const feeds = createFeeds({ engine, logger: log.logger, monotonic })
  const options = { forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} } as const
  return { store, saved, given, feeds, options, takeAway: () => { term++ }, tell: () => events }
}

t.test('progress of a term that is over is dropped, and its feed hands out nothing more', async (t) => {
  const { store, saved, given, feeds, options, takeAway } = shared()
  for (let each = 0; each < 2; each++) store.append(null)
  const feed = await feeds.openFeed(options)
  const { claims } = await feed.claim(1)
  t.equal(claims.length, 1)
  takeAway()
  await t.rejects(feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } }))), /forwards by now/)
  t.strictSame((await feed.claim(1)).claims, [])
  t.strictSame(saved, [])
  await eventuallyTrue(() => given.length > 0, 'the first term to be given up')
  t.strictSame(given, ['f 1'])
  const again = await feeds.openFeed(options)
  const second = await again.claim(1)
  await again.settle(second.claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
  t.match(saved, [{ forwarder: 'f', term: 3, cursor: 1 }], 'the new leader forwards again what the first could not save')
  await feeds.close()
})

t.test('an engine that reports a lost lead ends only that term', async (t) => {
  const { store, feeds, options, tell } = shared()
  store.append(null)
  const first = await feeds.openFeed(options)
  const second = await feeds.openFeed(options)
  tell()?.onLost('f', 1)
  t.equal((await second.claim(1)).claims.length, 1, 'the feed of the later term continues')
  tell()?.onLost('f', 2)
  t.strictSame((await second.claim(1)).claims, [])
  await first.close()
  await feeds.close()
})
