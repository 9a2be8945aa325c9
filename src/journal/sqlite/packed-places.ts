import type { EventPlace } from '../../delivery/delivery.js'

/** Where each of many events begins and ends in its body, as one value; -1 where that is not known. */
export function packPlaces (places: ReadonlyArray<EventPlace | undefined>): Int32Array {
  const packed = new Int32Array(2 * places.length).fill(-1)
  places.forEach((place, index) => { if (place !== undefined) packed.set([place.start, place.end], 2 * index) })
  return packed
}

export function placeAt (packed: Int32Array, index: number): EventPlace | undefined {
  const start = packed[2 * index] ?? -1
  return start === -1 ? undefined : { start, end: packed[2 * index + 1] ?? -1 }
}
