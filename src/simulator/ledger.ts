const ACKNOWLEDGED = 0x80
const MAX_FOUND = 0x7f

export interface LedgerCounts {
  readonly acknowledged: number
  readonly foundOnce: number
  readonly missing: number
  readonly repeated: number
}

/** Notes which events were acknowledged, and how often each was found downstream. Takes one byte per event. */
export class Ledger {
  #bytes = new Uint8Array(1024)
  #length = 0

  acknowledge (index: number): void {
    this.#reach(index)
    this.#bytes[index] = (this.#bytes[index] ?? 0) | ACKNOWLEDGED
  }

  /** Counts one more find of an event. An event that was not acknowledged may be found too. */
  found (index: number): void {
    const byte = this.#bytes[index]
    if (byte !== undefined && (byte & MAX_FOUND) < MAX_FOUND) this.#bytes[index] = byte + 1
  }

  isMissing (index: number): boolean {
    return this.#bytes[index] === ACKNOWLEDGED
  }

  /** Sets the number of finds of each event to 0. */
  forgetFound (): void {
    for (let index = 0; index < this.#length; index++) this.#bytes[index] = (this.#bytes[index] ?? 0) & ACKNOWLEDGED
  }

  counts (): LedgerCounts {
    const counts = { acknowledged: 0, foundOnce: 0, missing: 0, repeated: 0 }
    for (let index = 0; index < this.#length; index++) {
      const byte = this.#bytes[index] ?? 0
      if ((byte & ACKNOWLEDGED) === 0) continue
      counts.acknowledged++
      const found = byte & MAX_FOUND
      if (found === 0) counts.missing++
      else if (found === 1) counts.foundOnce++
      else counts.repeated++
    }
    return counts
  }

  /** Returns the first acknowledged events that were not found, or that were found more than once. */
  first (which: 'missing' | 'repeated', limit: number): readonly number[] {
    const indexes: number[] = []
    for (let index = 0; index < this.#length && indexes.length < limit; index++) {
      const byte = this.#bytes[index] ?? 0
      if ((byte & ACKNOWLEDGED) === 0) continue
      const found = byte & MAX_FOUND
      if (which === 'missing' ? found === 0 : found > 1) indexes.push(index)
    }
    return indexes
  }

  /** Yields all acknowledged events that were not found. */
  * missing (): Generator<number> {
    for (let index = 0; index < this.#length; index++) if (this.isMissing(index)) yield index
  }

  #reach (index: number): void {
    this.#length = Math.max(this.#length, index + 1)
    if (index < this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, index + 1))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
