import TinyQueue from 'tinyqueue'

interface Waiting<T> {
  readonly dueAt: number
  readonly order: number
  readonly item: T
}

/** Keeps things until they are due, the earliest first; those that are due together in the order in which they came. */
export class DueQueue<T> {
  #heap = new TinyQueue<Waiting<T>>([], byTime)
  #order = 0

  get size (): number {
    return this.#heap.length
  }

  /** When the earliest is due. */
  get nextAt (): number | undefined {
    return this.#heap.peek()?.dueAt
  }

  push (dueAt: number, item: T): void {
    this.#heap.push({ dueAt, order: this.#order++, item })
  }

  /** Takes the earliest out if it is due at this time. */
  take (now: number): { readonly dueAt: number, readonly item: T } | undefined {
    return (this.nextAt ?? Infinity) > now ? undefined : this.#heap.pop()
  }

  /** Takes out all that fit. */
  remove (fits: (item: T) => boolean): readonly T[] {
    const { data } = this.#heap
    this.#heap = new TinyQueue(data.filter(({ item }) => !fits(item)), byTime)
    return data.filter(({ item }) => fits(item)).map(({ item }) => item)
  }
}

function byTime (a: Waiting<unknown>, b: Waiting<unknown>): number {
  return a.dueAt - b.dueAt || a.order - b.order
}
