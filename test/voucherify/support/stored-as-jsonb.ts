import { isJsonObject } from '../../../src/voucherify/parse-body.js'

/** A value as the sender's database gives it back: the keys of each object sorted by length, and then by letter. */
export function storedAsJsonb (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(storedAsJsonb).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, each]) => ({ key: Buffer.from(key), text: `${JSON.stringify(key)}:${storedAsJsonb(each)}` }))
  members.sort((one, other) => one.key.length - other.key.length || Buffer.compare(one.key, other.key))
  return `{${members.map(({ text }) => text).join(',')}}`
}
