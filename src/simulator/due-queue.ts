import TinyQueue from 'tinyqueue'

interface Waiting<T> {
  readonly dueAt: number
  readonly order: number
  readonly item: T
}

/** Keeps items until they are due, the earliest first. Items that are due at the same time keep their order. */
export class DueQueue<T> {
  #heap = new TinyQueue<Waiting<T>>([], byTime)
  #order = 0

  get size (): number {
    return this.#heap.length
  }

  /** When the earliest item is due. */
  get nextAt (): number | undefined {
    return this.#heap.peek()?.dueAt
  }

  push (dueAt: number, item: T): void {
    this.#heap.push({ dueAt, order: this.#order++, item })
  }

  /** Removes and returns the earliest item, if it is due at this time. */
  take (now: number): { readonly dueAt: number, readonly item: T } | undefined {
    return (this.nextAt ?? Infinity) > now ? undefined : this.#heap.pop()
  }

  /** Removes and returns all items that fit. */
  remove (fits: (item: T) => boolean): readonly T[] {
    const { data } = this.#heap
    this.#heap = new TinyQueue(data.filter(({ item }) => !fits(item)), byTime)
    return data.filter(({ item }) => fits(item)).map(({ item }) => item)
  }
}

function byTime (a: Waiting<unknown>, b: Waiting<unknown>): number {
  return a.dueAt - b.dueAt || a.order - b.order
}
