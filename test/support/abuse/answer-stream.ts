/** An answer as it came. */
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
 * Takes the bytes of a connection apart into answers, and takes nothing for HTTP that is not: every answer has to have a
 * length, and every line its form. Those of class 1xx are left out.
 * @param methods those of the requests, in their order: an answer to HEAD has no body
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
    /** What is left over, once the connection is closed: nothing. */
    left: () => rest.length
  }
}

function headerOf (lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2)
}
