/** An answer as received. */
export interface WireAnswer {
  readonly status: number
  readonly contentType: string
  readonly head: string
  readonly body: string
}

export class NotHttpError extends Error {
  override readonly name = 'NotHttpError'
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [A-Za-z' -]+$/
const HEADER = /^[A-Za-z0-9-]+: [\x20-\x7E]*$/
const END = Buffer.from('\r\n\r\n')

/**
 * Splits the bytes of a connection into answers. It is strict: every answer must have a length, and every line must be well-formed. Answers of
 * class 1xx are left out.
 * @param methods the methods of the requests, in order, because an answer to HEAD has no body
 */
export function answerStream (methods: readonly string[]) {
  let rest: Buffer = Buffer.alloc(0)
  let answered = 0
  return {
    /** @throws {NotHttpError} */
    read (chunk: Buffer): WireAnswer[] {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const answers: WireAnswer[] = []
      for (;;) {
        const end = rest.indexOf(END)
        if (end === -1) return answers
        const head = rest.subarray(0, end).toString('latin1')
        const [first = '', ...lines] = head.split('\r\n')
        const status = Number(STATUS_LINE.exec(first)?.[1])
        if (Number.isNaN(status) || !lines.every((line) => HEADER.test(line))) throw new NotHttpError(head.slice(0, 500))
        if (status < 200) {
          rest = rest.subarray(end + 4)
          continue
        }
        const length = Number(headerOf(lines, 'content-length') ?? Number.NaN)
        if (!Number.isSafeInteger(length)) throw new NotHttpError(`without a length: ${head.slice(0, 500)}`)
        const bodyLength = methods[answered] === 'HEAD' ? 0 : length
        if (rest.length < end + 4 + bodyLength) return answers
        answered++
        answers.push({ status, contentType: headerOf(lines, 'content-type') ?? '', head, body: rest.subarray(end + 4, end + 4 + bodyLength).toString() })
        rest = rest.subarray(end + 4 + bodyLength)
      }
    },
    /** The number of bytes left after the connection was closed. It should be 0. */
    left: () => rest.length
  }
}

function headerOf (lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2)
}
