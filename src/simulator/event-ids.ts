/**
 * The ids in what one run sends. They look like the sender's and tell the event's index, so that an event can be found
 * again wherever its id is written, and no id has to be kept.
 */
export interface EventIds {
  /** What happened, `ev_…`. */
  readonly eventId: (index: number) => string
  /** The send-out, `whs_…`. */
  readonly sendOutId: (index: number) => string
  /** The index of the first event whose id stands in a text. */
  readonly indexIn: (text: string) => number | undefined
}

const runName = /^[0-9a-f]{12}$/

/** The ids of a run that is named by twelve hexadecimal digits. */
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
