import type { Journal } from '../../src/delivery/journal.js'
import { keepObjectsYoung } from '../../src/composition/young-objects.js'
import { deliveryAt, timed } from '../backlog.js'
import { serveParent } from '../child.js'
import { openJournal, type JournalPlace } from '../journal.js'
import type { Run } from '../measure.js'

export interface AppendOptions {
  readonly place: JournalPlace
  /** How many appends run at once. When one is answered, the next one begins. */
  readonly appenders: number
}

let appenders = 0
let journal: Journal | undefined
let appended = 0

const api = {
  async open (options: AppendOptions): Promise<void> {
    // As in the program itself.
    keepObjectsYoung()
    appenders = options.appenders
    journal = await openJournal(options.place)
  },

  async run (events: number): Promise<Run> {
    const opened = journal
    if (opened === undefined) throw new Error('The journal is not open')
    const deliveries = Array.from({ length: events }, () => deliveryAt(appended++))
    return await timed(events, async () => {
      await Promise.all(Array.from({ length: appenders }, async () => {
        for (let delivery = deliveries.pop(); delivery !== undefined; delivery = deliveries.pop()) await opened.append(delivery)
      }))
    })
  }
}

export type AppendApi = typeof api

serveParent(api)
