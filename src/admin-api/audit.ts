import type { FastifyRequest } from 'fastify'
import { StoreError } from '../delivery/operator.js'
import { MAX_IDS, type OperatorAction, type RecordedAction } from './operator-action.js'

/** Logs an operator's action. Call it after the action is done. */
export type NoteAction = (request: Pick<FastifyRequest, 'ip' | 'log'>, action: OperatorAction) => void

/** Resolves with the result of a change. If the database did not answer whether it was made, `note` records the request. */
export async function noteIfUnsure<T> (change: Promise<T>, note: () => void): Promise<T> {
  try {
    return await change
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_UNSURE') note()
    throw error
  }
}

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
      ...(deliveryIds === undefined ? {} : { deliveryIds: deliveryIds.slice(0, MAX_IDS) })
    }
    request.log.info(told, 'operator action')
    onAction?.({ at: new Date(now()).toISOString(), ...told })
  }
}
