export type Value = number | string | Buffer | null

/** Reads a number of SQLite's variable length, and where it ends; `undefined` if the bytes end before it. */
export function readVarint (bytes: Buffer, start: number): { readonly value: number, readonly end: number } | undefined {
  let value = 0
  for (let index = 0; index < 9; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) return undefined
    if (index === 8) return { value: value * 256 + byte, end: start + 9 }
    value = value * 128 + (byte & 0x7F)
    if (byte < 0x80) return { value, end: start + index + 1 }
  }
  return undefined
}

/**
 * Returns the columns of a record (https://sqlite.org/fileformat2.html#record_format). `undefined` if its header does not match its
 * length, which seldom matches by chance.
 */
export function decodeRecord (payload: Buffer): readonly Value[] | undefined {
  const header = readVarint(payload, 0)
  if (header === undefined || header.value > payload.length) return undefined
  const types: number[] = []
  for (let at = header.end; at < header.value;) {
    const type = readVarint(payload, at)
    if (type === undefined || type.end > header.value || type.value === 10 || type.value === 11) return undefined
    types.push(type.value)
    at = type.end
  }
  if (header.value + types.reduce((sum, type) => sum + sizeOf(type), 0) !== payload.length) return undefined
  let at = header.value
  return types.map((type) => {
    const value = decode(type, payload, at)
    at += sizeOf(type)
    return value
  })
}

/** Bytes of the types 0 to 9. The types 10 and 11 are not in use, and a greater type gives the size itself. */
const SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0]

function sizeOf (type: number): number {
  return SIZES[type] ?? Math.floor((type - 12) / 2)
}

function decode (type: number, payload: Buffer, at: number): Value {
  if (type === 0) return null
  if (type <= 5) return payload.readIntBE(at, sizeOf(type))
  if (type === 6) return Number(payload.readBigInt64BE(at))
  if (type === 7) return payload.readDoubleBE(at)
  if (type === 8 || type === 9) return type - 8
  const bytes = payload.subarray(at, at + sizeOf(type))
  return type % 2 === 0 ? bytes : bytes.toString()
}
