/** Keeps things until they are due, the earliest first; those that are due together in the order in which they came. */
export class DueQueue<T> {
  #heap: Array<{ readonly dueAt: number, readonly order: number, readonly item: T }> = []
  #order = 0

  get size (): number {
    return this.#heap.length
  }

  /** When the earliest is due. */
  get nextAt (): number | undefined {
    return this.#heap[0]?.dueAt
  }

  push (dueAt: number, item: T): void {
    this.#heap.push({ dueAt, order: this.#order++, item })
    this.#rise(this.#heap.length - 1)
  }

  /** Takes the earliest out if it is due at this time. */
  take (now: number): { readonly dueAt: number, readonly item: T } | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.dueAt > now) return undefined
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return first
  }

  /** Takes out all that fit. */
  remove (fits: (item: T) => boolean): readonly T[] {
    const all = this.#heap
    this.#heap = all.filter(({ item }) => !fits(item))
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at)
    return all.filter(({ item }) => fits(item)).map(({ item }) => item)
  }

  #before (a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return one !== undefined
    return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order)
  }

  #swap (a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return
    this.#heap[a] = other
    this.#heap[b] = one
  }

  #rise (from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink (from: number): void {
    for (let at = from; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const child = this.#before(right, left) ? right : left
      if (!this.#before(child, at)) return
      this.#swap(at, child)
      at = child
    }
  }
}
