import { createHash } from 'node:crypto'

const BYTES = 16
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The ids that a receiver gave to events, each in 16 bytes: a UUID as it is, of any other text the beginning of its hash. */
export class IdTable {
  #keys = Buffer.alloc(1024 * BYTES)
  /** Which of the keys are UUIDs. */
  #uuids = new Uint8Array(1024)
  /** Open addressing: the index of an event, plus 1; 0 where the slot is free. */
  #slots = new Uint32Array(4096)
  #count = 0

  /** Keeps the id of an event; gives back the event that had this id first. */
  add (index: number, id: string): number {
    const key = keyOf(id)
    const known = this.#lookUp(key)
    if (known !== undefined) return known
    this.#reach(index)
    key.copy(this.#keys, index * BYTES)
    if (uuid.test(id)) this.#uuids[index] = 1
    if (++this.#count * 2 > this.#slots.length) this.#enlargeSlots()
    this.#slots[this.#slotOf(key)] = index + 1
    return index
  }

  /** The event that was given this id. */
  find (id: string): number | undefined {
    return this.#lookUp(keyOf(id))
  }

  /** The id of an event, where it is a UUID. */
  uuidOf (index: number): string | undefined {
    if (this.#uuids[index] !== 1) return undefined
    return this.#key(index).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }

  #key (index: number): Buffer {
    return this.#keys.subarray(index * BYTES, (index + 1) * BYTES)
  }

  #lookUp (key: Buffer): number | undefined {
    const held = this.#slots[this.#slotOf(key)] ?? 0
    return held === 0 ? undefined : held - 1
  }

  /** The slot that holds this key, or the free one where it would be. */
  #slotOf (key: Buffer): number {
    // The last bytes: the first ones of a UUID may be a time, which neighbours share.
    let slot = key.readUInt32LE(BYTES - 4) % this.#slots.length
    for (let held = this.#slots[slot] ?? 0; held !== 0 && !this.#key(held - 1).equals(key); held = this.#slots[slot] ?? 0) slot = (slot + 1) % this.#slots.length
    return slot
  }

  #enlargeSlots (): void {
    const before = this.#slots
    this.#slots = new Uint32Array(before.length * 4)
    for (const held of before) if (held !== 0) this.#slots[this.#slotOf(this.#key(held - 1))] = held
  }

  #reach (index: number): void {
    if (index < this.#uuids.length) return
    const length = Math.max(this.#uuids.length * 2, index + 1)
    const keys = Buffer.alloc(length * BYTES)
    this.#keys.copy(keys)
    this.#keys = keys
    const uuids = new Uint8Array(length)
    uuids.set(this.#uuids)
    this.#uuids = uuids
  }
}

function keyOf (id: string): Buffer {
  return uuid.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : createHash('sha256').update(id).digest().subarray(0, BYTES)
}
