import type { FastifyRequest } from 'fastify'
import { MOST_IDS, type OperatorAction, type RecordedAction } from './operator-action.js'

/** Logs an operator's action. Call it after the action is done. */
export type NoteAction = (request: Pick<FastifyRequest, 'ip' | 'log'>, action: OperatorAction) => void

export interface AuditOptions {
  /** Returns the name of the request's token; `null` if the listener needs none. */
  readonly tokenOf: (request: object) => string | null
  readonly now: () => number
  /** Called with each action. */
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
