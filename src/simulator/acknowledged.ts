import type { Answer } from './answer.js'
import type { EventIds } from './event-ids.js'
import { ReceiverIds } from './receiver-ids.js'
import { Ledger } from './ledger.js'

export interface AcknowledgedOptions {
  /** `undefined` where the bodies carry no ids of this run: then only the receiver's ids tell the events. */
  readonly eventIds: EventIds | undefined
  /** Whether the receiver's ids are needed, though the bodies carry their own. */
  readonly keepReceiverIds: boolean
  /** The id that every body carries, where they are all the same one; it counts where the receiver gives none. */
  readonly bodyId?: string | undefined
}

/** The events that were acknowledged and should be downstream, with the ids by which they are found there. */
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

  /** Events that the receiver holds back as invalid, so that they are not expected downstream. */
  get quarantined (): number {
    return this.#quarantined
  }

  /** Events that can't be looked for, since neither they nor their answers carry an id. */
  get nameless (): number {
    return this.#nameless
  }

  add (index: number, answer: Answer): void {
    if (answer.verdict === 'invalid') {
      this.#quarantined++
      return
    }
    // Others may put an id on each request; a verdict comes with the id of what is kept.
    const id = answer.verdict === undefined ? this.#bodyId ?? answer.id : answer.id ?? this.#bodyId
    if (id === undefined && this.#eventIds === undefined) this.#nameless++
    else this.ledger.acknowledge(id === undefined ? index : this.#ids?.add(index, id) ?? index)
  }

  /** Whether a line has to be parsed to tell whose it is. */
  get needsFields (): boolean {
    return this.#eventIds === undefined
  }

  /** The event whose id stands in a text. */
  indexIn (text: string): number | undefined {
    return this.#eventIds?.indexIn(text)
  }

  /** The event that is known by this id. */
  indexOf (id: string): number | undefined {
    return this.#ids?.find(id)
  }

  /** The receiver's id of an event, where it is a UUID. */
  receiverIdOf (index: number): string | undefined {
    return this.#ids?.uuidOf(index)
  }

  /** How a person can find an event. */
  nameOf (index: number): string {
    const name = [this.#eventIds?.eventId(index), this.receiverIdOf(index)].filter(each => each !== undefined)
    return name.length === 0 ? `event ${index}` : name.join(' ')
  }
}
