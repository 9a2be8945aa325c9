import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface RawAnswer {
  readonly status: number
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export interface RawConnection {
  readonly socket: Socket
  readonly write: (bytes: string | Uint8Array) => void
  /** Resolves with all answers so far as soon as there are this many. Rejects if the connection closes before. */
  readonly answers: (count: number) => Promise<readonly RawAnswer[]>
  /** Resolves with all answers when the other side has closed the connection. */
  readonly closed: () => Promise<readonly RawAnswer[]>
}

/** Opens a plain TCP connection, for bytes that no HTTP client would send. */
export async function rawConnection (t: Test, port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => { socket.destroy() })
  const chunks: Buffer[] = []
  let over = false
  let notify = (): void => {}
  socket.on('data', (chunk) => {
    chunks.push(chunk)
    notify()
  })
  socket.on('error', () => { /* The close that follows is handled. */ })
  socket.on('close', () => {
    over = true
    notify()
  })
  await new Promise<void>((resolve) => { socket.once('connect', resolve) })

  async function until (done: (answers: readonly RawAnswer[]) => boolean): Promise<readonly RawAnswer[]> {
    for (;;) {
      const answers = parseAnswers(Buffer.concat(chunks))
      if (done(answers)) return answers
      if (over) throw new Error(`The connection closed after ${answers.length} answers`)
      await new Promise<void>((resolve) => { notify = resolve })
    }
  }

  return {
    socket,
    write (bytes) { socket.write(bytes) },
    answers: async (count) => await until((answers) => answers.length >= count),
    closed: async () => await until(() => over)
  }
}

/** Returns the final answers in the bytes. Those of class 1xx are left out. */
function parseAnswers (bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = bytes
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) return answers
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n')
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }))
    const start = end + 4
    const length = Number(headers.get('content-length') ?? 0)
    if (rest.length < start + length) return answers
    const status = Number(first.split(' ')[1])
    if (status >= 200) answers.push({ status, headers, body: rest.subarray(start, start + length).toString() })
    rest = rest.subarray(start + length)
  }
}
