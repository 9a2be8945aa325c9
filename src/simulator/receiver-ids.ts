const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The ids that a receiver gave to events. */
export class ReceiverIds {
  readonly #events = new Map<string, number>()
  readonly #ids: string[] = []

  /** Keeps the id of an event; gives back the event that had this id first. */
  add (event: number, id: string): number {
    const first = this.#events.get(id)
    if (first !== undefined) return first
    this.#events.set(id, event)
    this.#ids[event] = id
    return event
  }

  /** The event that was given this id. */
  find (id: string): number | undefined {
    return this.#events.get(id)
  }

  /** The id of an event, where it is a UUID. */
  uuidOf (event: number): string | undefined {
    const id = this.#ids[event]
    return id !== undefined && uuid.test(id) ? id : undefined
  }
}
