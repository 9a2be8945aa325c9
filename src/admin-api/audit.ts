import type { FastifyRequest } from 'fastify'
import { MOST_IDS, type OperatorAction, type RecordedAction } from './operator-action.js'

/** Leaves a line of what an operator did by a request. To be called once it is done. */
export type NoteAction = (request: Pick<FastifyRequest, 'ip' | 'log'>, action: OperatorAction) => void

export interface AuditOptions {
  /** The name of the token that a request bore; `null` where it needed none. */
  readonly tokenOf: (request: object) => string | null
  readonly now: () => number
  /** Told of each action. */
  readonly onAction?: ((action: RecordedAction) => void) | undefined
}

export function createAudit ({ tokenOf, now, onAction }: AuditOptions): NoteAction {
  return (request, { deliveryIds, ...action }) => {
    const told = {
      via: 'listener' as const,
      sourceAddress: request.ip,
      token: tokenOf(request),
      ...action,
      ...(deliveryIds === undefined ? {} : { deliveryIds: deliveryIds.slice(0, MOST_IDS) })
    }
    request.log.info(told, 'operator action')
    onAction?.({ at: new Date(now()).toISOString(), ...told })
  }
}
