/**
 * The ids in the bodies of one run. They look like the sender's and contain the event's index. So an event can be found wherever its id is
 * written, and no id has to be stored.
 */
export interface EventIds {
  /** Returns the event's id, `ev_…`. */
  readonly eventId: (index: number) => string
  /** Returns the send-out's id, `whs_…`. */
  readonly sendOutId: (index: number) => string
  /** Returns the index of the first event whose id occurs in a text. */
  readonly indexIn: (text: string) => number | undefined
}

const runName = /^[0-9a-f]{12}$/

/** Makes the ids of a run. The run's name has twelve hexadecimal digits. */
export function eventIds (run: string): EventIds {
  if (!runName.test(run)) throw new TypeError(`${JSON.stringify(run)} are not twelve hexadecimal digits`)
  const pattern = new RegExp(`(?:ev|whs)_${run}([0-9a-f]{12})`)
  const digits = (index: number): string => index.toString(16).padStart(12, '0')
  return {
    eventId: index => `ev_${run}${digits(index)}`,
    sendOutId: index => `whs_${run}${digits(index)}`,
    indexIn: text => {
      const found = pattern.exec(text)?.[1]
      return found === undefined ? undefined : Number.parseInt(found, 16)
    }
  }
}
