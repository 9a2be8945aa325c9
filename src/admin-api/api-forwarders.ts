import { Type, type Static } from '@sinclair/typebox'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import type { Operator } from '../delivery/operator.js'
import { Problem } from '../errors/problem.js'
import { answerProblems } from '../http/problem-answer.js'
import type { NoteAction } from './audit.js'
import { isoTime, Time } from './describe-deliveries.js'
import type { LastOutcome } from './last-outcomes.js'
import type { App } from '../http/app.js'

/** A forwarder that runs in this service. */
export interface RunningForwarder {
  readonly name: string
  readonly type: string
  /** The destination, without secrets. */
  readonly destination: string
  readonly isPaused: () => boolean
  readonly pause: () => void
  readonly resume: () => void
  readonly breakerState: () => KnownForwarder['breaker']
}

export interface ForwarderRouteOptions {
  readonly operator: Operator
  /** The running forwarders; none before they are open. */
  readonly forwarders: () => readonly RunningForwarder[]
  readonly lastOutcome: (forwarder: string) => LastOutcome | undefined
  /** Called after a forwarder is paused or resumed. */
  readonly onChange: () => void
  readonly noteAction: NoteAction
}

const closed = { additionalProperties: false }
const Count = Type.Integer({ minimum: 0 })

const LastOutcomeSchema = Type.Object({
  status: Type.Union([Type.Literal('forwarded'), Type.Literal('retry'), Type.Literal('dead')]),
  at: Time,
  reason: Type.Optional(Type.String({ description: 'Why the attempt failed.' }))
}, closed)

export const ForwarderSchema = Type.Object({
  name: Type.String(),
  configured: Type.Boolean({ description: 'Whether it is configured and runs. One that does not run keeps its waiting deliveries until an operator forgets it.' }),
  type: Type.Optional(Type.String()),
  destination: Type.Optional(Type.String({ description: 'Its destination, without secrets.' })),
  pending: Type.Integer({ minimum: 0, description: 'Deliveries that it has not tried yet, or is trying now.' }),
  retrying: Type.Integer({ minimum: 0, description: 'Deliveries that wait for another attempt, for an earlier delivery of the same customer, or as a replay.' }),
  dead: Count,
  oldestReceivedAt: Type.Union([Time, Type.Null()], { description: 'When the oldest delivery that it has not finished was received. Replays do not count.' }),
  breaker: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('half-open')], { description: 'If it is not `closed`, its destination counts as down.' }),
  paused: Type.Boolean({ description: 'Whether an operator has paused it. A restart leaves it paused.' }),
  leader: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'With JOURNAL: the replica that runs it now; null if none does.' })),
  home: Type.Optional(Type.String({ description: 'The only replica that may run it, because its files are there.' })),
  lastOutcome: Type.Optional(LastOutcomeSchema)
}, { $id: 'Forwarder', ...closed, description: 'A forwarder and its progress.' })

const NameParameters = Type.Object({ name: Type.String() }, closed)
const PausedSchema = Type.Object({ name: Type.String(), paused: Type.Boolean() }, closed)

/** Adds `/api/forwarders`. */
export function addForwarderRoutes (app: App, { operator, forwarders, lastOutcome, onChange, noteAction }: ForwarderRouteOptions): void {
  function describe (known: KnownForwarder): Static<typeof ForwarderSchema> {
    const { name, pending, retrying, dead, oldestReceivedAt, breaker } = known
    const running = forwarders().find((each) => each.name === name)
    const outcome = lastOutcome(name)
    return {
      name,
      configured: running !== undefined,
      ...(running === undefined ? {} : { type: running.type, destination: running.destination }),
      pending,
      retrying,
      dead,
      oldestReceivedAt: oldestReceivedAt === null ? null : isoTime(oldestReceivedAt),
      // In a fleet another replica may lead the forwarder, so the store's state is used.
      breaker: known.leader === undefined ? running?.breakerState() ?? breaker : breaker,
      paused: known.leader === undefined ? running?.isPaused() ?? known.paused : known.paused,
      ...(known.leader === undefined ? {} : { leader: known.leader }),
      ...(typeof known.home === 'string' ? { home: known.home } : {}),
      ...(outcome === undefined ? {} : { lastOutcome: { ...outcome, at: isoTime(outcome.at) } })
    }
  }

  function running (name: string): RunningForwarder {
    const found = forwarders().find((each) => each.name === name)
    if (found !== undefined) return found
    throw new Problem('FORWARDER_UNKNOWN', { detail: `No forwarder ${JSON.stringify(name)} runs here. Running: ${forwarders().map((each) => each.name).join(', ') || 'none yet'}.` })
  }

  app.get('/api/forwarders', {
    schema: {
      operationId: 'listForwarders',
      summary: 'Forwarders and their progress',
      tags: ['Forwarders'],
      response: { 200: Type.Object({ forwarders: Type.Array(ForwarderSchema) }, closed), ...answerProblems }
    }
  }, async () => ({ forwarders: (await operator.forwarders()).map(describe) }))

  for (const verb of ['pause', 'resume'] as const) {
    app.post(`/api/forwarders/:name/${verb}`, {
      schema: {
        operationId: `${verb}Forwarder`,
        summary: verb === 'pause' ? 'Pause a forwarder: it begins no attempt until it is resumed, even after a restart' : 'Resume a paused forwarder',
        tags: ['Forwarders'],
        params: NameParameters,
        body: Type.Object({}, closed),
        response: { 200: PausedSchema, ...answerProblems }
      }
    }, async (request) => {
      const forwarder = running(request.params.name)
      forwarder[verb]()
      // Noted before it is stored, because it has taken effect even if the store then fails.
      noteAction(request, { action: verb, forwarders: [forwarder.name] })
      await operator.keepPaused({ forwarder: forwarder.name, paused: forwarder.isPaused() })
      onChange()
      return { name: forwarder.name, paused: forwarder.isPaused() }
    })
  }
}
