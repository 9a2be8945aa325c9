const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The ids that a receiver gave to events. */
export class ReceiverIds {
  readonly #events = new Map<string, number>()
  readonly #ids: string[] = []

  /** Keeps the id of an event. Returns the event that had this id first. */
  add (event: number, id: string): number {
    const first = this.#events.get(id)
    if (first !== undefined) return first
    this.#events.set(id, event)
    this.#ids[event] = id
    return event
  }

  /** Returns the event with this id. */
  find (id: string): number | undefined {
    return this.#events.get(id)
  }

  /** Returns the id of an event, if it is a UUID. */
  uuidOf (event: number): string | undefined {
    const id = this.#ids[event]
    return id !== undefined && uuid.test(id) ? id : undefined
  }
}
