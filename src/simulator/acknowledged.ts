import type { Answer } from './answer.js'
import type { EventIds } from './event-ids.js'
import { ReceiverIds } from './receiver-ids.js'
import { Ledger } from './ledger.js'

export interface AcknowledgedOptions {
  /** `undefined` if the bodies carry no ids of this run. Only the receiver's ids identify events then. */
  readonly eventIds: EventIds | undefined
  /** Whether to keep the receiver's ids even if the bodies carry ids of this run. */
  readonly keepReceiverIds: boolean
  /** The id in every body, if all bodies have the same one. An answer with a verdict gives a better id. */
  readonly bodyId?: string | undefined
}

/** The events that were acknowledged and should arrive downstream, with the ids by which to find them there. */
export class Acknowledged {
  readonly ledger = new Ledger()
  readonly #eventIds: EventIds | undefined
  readonly #bodyId: string | undefined
  readonly #ids: ReceiverIds | undefined
  #quarantined = 0
  #nameless = 0

  constructor ({ eventIds, keepReceiverIds, bodyId }: AcknowledgedOptions) {
    this.#eventIds = eventIds
    this.#bodyId = bodyId
    this.#ids = eventIds === undefined || keepReceiverIds ? new ReceiverIds() : undefined
  }

  /** Events that the receiver put into quarantine as invalid. They are not expected downstream. */
  get quarantined (): number {
    return this.#quarantined
  }

  /** Events that cannot be looked for, because neither they nor their answers have an id. */
  get nameless (): number {
    return this.#nameless
  }

  add (index: number, answer: Answer): void {
    if (answer.verdict === 'invalid') {
      this.#quarantined++
      return
    }
    // Only an answer with a verdict is sure to give the stored event's id. Other receivers may give each request an id.
    const id = answer.verdict === undefined ? this.#bodyId ?? answer.id : answer.id ?? this.#bodyId
    if (id === undefined && this.#eventIds === undefined) this.#nameless++
    else this.ledger.acknowledge(id === undefined ? index : this.#ids?.add(index, id) ?? index)
  }

  /** Whether a line must be parsed to find its event. */
  get needsFields (): boolean {
    return this.#eventIds === undefined
  }

  /** Returns the event whose id occurs in a text. */
  indexIn (text: string): number | undefined {
    return this.#eventIds?.indexIn(text)
  }

  /** Returns the event with this id. */
  indexOf (id: string): number | undefined {
    return this.#ids?.find(id)
  }

  /** Returns the receiver's id of an event, if it is a UUID. */
  receiverIdOf (index: number): string | undefined {
    return this.#ids?.uuidOf(index)
  }

  /** Returns the ids by which a person can find an event. */
  nameOf (index: number): string {
    const name = [this.#eventIds?.eventId(index), this.receiverIdOf(index)].filter(each => each !== undefined)
    return name.length === 0 ? `event ${index}` : name.join(' ')
  }
}
