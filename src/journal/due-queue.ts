import type { Entry } from './schedule.js'

export interface DueQueue {
  readonly push: (entry: Entry) => void
  readonly peek: () => Entry | undefined
  /** The entry that fell due first, if one has by `now`. */
  readonly popDue: (now: number) => Entry | undefined
}

/** Entries by the time at which they fall due: a binary heap. */
export function createDueQueue (): DueQueue {
  const heap: Entry[] = []
  const dueAt = (index: number): number => heap[index]?.dueAt ?? Infinity

  function swap (a: number, b: number): void {
    const first = heap[a]
    const second = heap[b]
    if (first === undefined || second === undefined) return
    heap[a] = second
    heap[b] = first
  }

  function siftUp (index: number): void {
    for (let parent = (index - 1) >> 1; index > 0 && dueAt(index) < dueAt(parent); parent = (index - 1) >> 1) {
      swap(index, parent)
      index = parent
    }
  }

  function siftDown (index: number): void {
    for (;;) {
      const left = 2 * index + 1
      const smaller = dueAt(left + 1) < dueAt(left) ? left + 1 : left
      if (dueAt(smaller) >= dueAt(index)) return
      swap(index, smaller)
      index = smaller
    }
  }

  return {
    push (entry) {
      heap.push(entry)
      siftUp(heap.length - 1)
    },
    peek: () => heap[0],
    popDue (now) {
      const first = heap[0]
      if (first === undefined || first.dueAt > now) return undefined
      swap(0, heap.length - 1)
      heap.pop()
      siftDown(0)
      return first
    }
  }
}
