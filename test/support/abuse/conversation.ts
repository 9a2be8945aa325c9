import { connect } from 'node:net'
import { answerStream, NotHttpError, type WireAnswer } from './answer-stream.js'
import { ending, type Ending } from './endings.js'
import { acknowledgedBy, faultOf } from './judge-answer.js'
import { mutatedRequest, type MutatedRequest } from './mutated-request.js'
import { randomFor, type Random } from './random.js'

/** Everything that one connection sends: requests that leave it open, and one that ends it. */
export interface Conversation {
  readonly requests: readonly MutatedRequest[]
  readonly ending: Ending
  readonly random: Random
  /** The pause between the pieces of a request, in milliseconds. Absent: random. */
  readonly pauseMs?: number | undefined
}

export interface Talked {
  /** What went wrong. */
  readonly faults: readonly string[]
  /** The ids of acknowledged deliveries that will be forwarded. */
  readonly acknowledged: readonly string[]
  readonly statuses: readonly number[]
}

const LONGEST = 30
/** Later faults follow from the first ones. */
const FAULTS_TOLD = 2
const LONG_PAUSE_MS = 20
/** Far more than a service on a slow machine needs. */
const PATIENCE_MS = 60_000

/** Makes the conversation with this number in the run with this seed. */
export function conversationOf (seed: number, number: number): Conversation {
  const random = randomFor(seed, number)
  const length = 1 + random.below(LONGEST)
  let last = 0
  const eventId = (): string => `abuse-${seed}-${number}-${random.chance(0.05) ? last : ++last}`
  return { requests: Array.from({ length }, () => mutatedRequest(random, eventId())), ending: ending(random, eventId()), random }
}

/**
 * Sends everything to the service and judges the answers. If an answer closes its connection, the remaining requests are sent on the next one.
 * Never rejects.
 */
export async function talk (port: number, { requests, ending, random, pauseMs }: Conversation): Promise<Talked> {
  // Some clients send at full speed, some in pieces. A few of the latter pause in the middle of a request.
  const pause = pauseMs ?? (random.chance(0.1) ? LONG_PAUSE_MS : 0)
  const answers: WireAnswer[] = []
  const faults: string[] = []
  for (let over = false; !over;) {
    const said = await say(port, { requests: requests.slice(answers.length), ending, random, pauseMs: pause })
    answers.push(...said.answers)
    faults.push(...said.faults)
    over = said.ended || faults.length > 0 || said.answers.length === 0 || !closes(said.answers.at(-1))
  }
  return { faults: [...faults, ...judged(answers, requests, ending)].slice(0, FAULTS_TOLD), acknowledged: answers.flatMap((answer) => acknowledgedBy(answer) ?? []), statuses: answers.map(({ status }) => status) }
}

function closes (answer: WireAnswer | undefined): boolean {
  return /^connection: close$/im.test(answer?.head ?? '')
}

interface Said {
  readonly answers: readonly WireAnswer[]
  readonly faults: readonly string[]
  /** Whether the ending was sent too. */
  readonly ended: boolean
}

/** Sends as much as one connection takes. */
async function say (port: number, { requests, ending, random, pauseMs }: Conversation & { readonly pauseMs: number }): Promise<Said> {
  const stream = answerStream(requests.map(({ method }) => method))
  const answers: WireAnswer[] = []
  const faults: string[] = []
  const socket = connect({ port, host: '127.0.0.1' })
  const pieces = pieced(Buffer.concat(requests.map(({ bytes }) => bytes)), random)
  let ended = false
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      faults.push(`no end after ${answers.length} answers to ${requests.length} requests and "${ending.name}"`)
      socket.destroy()
    }, PATIENCE_MS)
    const writeNext = (): void => {
      const piece = pieces.shift()
      if (piece === undefined) finishWhenAnswered()
      else if (socket.writable) socket.write(piece, () => { setTimeout(writeNext, pauseMs) })
    }
    socket.on('connect', writeNext)
    socket.on('error', () => { /* The close that follows is handled. */ })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.on('data', (chunk) => {
      try {
        answers.push(...stream.read(chunk))
      } catch (error) {
        if (!(error instanceof NotHttpError)) throw error
        faults.push(`not HTTP: ${error.message}`)
        socket.destroy()
      }
      if (!ended && closes(answers.at(-1))) socket.destroy()
      else finishWhenAnswered()
    })
    function finishWhenAnswered (): void {
      // The ending may break the connection, so wait for all earlier answers first. A refusal may also arrive before its request was sent
      // completely. The rest still belongs to that request, and the ending would be read as its body.
      if (answers.length < requests.length || pieces.length > 0 || ended || closes(answers.at(-1))) return
      ended = true
      switch (ending.then) {
        case 'end':
          socket.end(ending.bytes)
          break
        case 'destroy':
          socket.write(ending.bytes, () => { socket.destroy() })
          break
        case 'reset':
          socket.write(ending.bytes, () => { socket.resetAndDestroy() })
      }
    }
  })
  return { answers, faults, ended }
}

function judged (answers: readonly WireAnswer[], requests: readonly MutatedRequest[], ending: Ending): string[] {
  const faults: string[] = []
  for (const [index, request] of requests.entries()) {
    const answer = answers[index]
    const fault = answer === undefined
      ? 'no answer'
      : faultOf(answer, request.method, request.health) ?? (request.statuses.includes(answer.status) ? undefined : `answered ${answer.status}, not ${request.statuses.join(' or ')}: ${answer.body}`)
    if (fault !== undefined) faults.push(`${fault}\n  ${JSON.stringify(request.bytes.subarray(0, 1500).toString('latin1'))}`)
  }
  for (const answer of answers.slice(requests.length)) {
    const fault = faultOf(answer, 'POST', false) ?? (ending.statuses.includes(answer.status) ? undefined : `answered ${answer.status}, not ${ending.statuses.join(' or ')}: ${answer.body}`)
    if (fault !== undefined) faults.push(`${ending.name}: ${fault}\n  ${JSON.stringify(ending.bytes.subarray(0, 1500).toString('latin1'))}`)
  }
  return faults
}

function pieced (bytes: Buffer, random: Random): Buffer[] {
  if (random.chance(0.7)) return [bytes]
  const cuts = Array.from({ length: 1 + random.below(5) }, () => random.below(bytes.length)).sort((one, other) => one - other)
  return [0, ...cuts].map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length))
}
