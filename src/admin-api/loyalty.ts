import { Type, type Static } from '@sinclair/typebox'
import type { ListedDelivery } from '../delivery/listing.js'
import type { Operator } from '../delivery/operator.js'
import { describeLoyalty, type LoyaltyMove } from '../voucherify/describe-loyalty.js'

const Text = Type.Union([Type.String(), Type.Null()])
const MaybeNumber = Type.Union([Type.Number(), Type.Null()])

const TierSchema = Type.Object({
  id: Text,
  name: Text,
  pointsFrom: MaybeNumber,
  pointsTo: MaybeNumber,
  rewards: Type.Array(Type.Object({ id: Type.String(), multiplier: MaybeNumber, points: MaybeNumber }, { additionalProperties: false }), { description: 'What the tier changes about rewards.' })
}, { additionalProperties: false })

export const LoyaltySchema = Type.Object({
  from: Type.Union([TierSchema, Type.Null()], { description: 'The tier before; null for none. If it equals `to`, the event is not a move.' }),
  to: Type.Union([TierSchema, Type.Null()], { description: 'The tier after; null for none.' }),
  campaignName: Text,
  customerName: Type.Union([Type.String(), Type.Null()], { description: 'Null unless PAGE_SHOWS_NAMES is true.' }),
  occurredAt: Type.Union([Type.String(), Type.Null()], { description: 'When it happened, according to the event.' })
}, { $id: 'Loyalty', additionalProperties: false, description: 'A customer\'s move between tiers, as the event says it.' })

export const LoyaltyParameter = Type.Optional(Type.Literal('true', { description: 'Adds `loyalty` to each entry: the customer\'s move between tiers.' }))
export const LoyaltyProperty = Type.Optional(Type.Union([LoyaltySchema, Type.Null()], { description: 'Null if the event is not about a tier. Present only if requested.' }))

export type Loyalty = Static<typeof LoyaltySchema>

export interface LoyaltyReader {
  readonly describe: (rawBody: Uint8Array | undefined, eventType: string) => Loyalty | null
  /** Reads the loyalty of listed deliveries, by sequence. */
  readonly read: (deliveries: ReadonlyArray<Pick<ListedDelivery, 'sequence' | 'eventType'> & Partial<Pick<ListedDelivery, 'state'>>>) => Promise<ReadonlyMap<number, Loyalty | null>>
}

/** How many results are cached, so that a page that is open does not read the same bodies again. */
const REMEMBERED = 2000

/** Reads tier moves from bodies. The customer's name is included only with `showNames`. */
export function createLoyaltyReader ({ operator, showNames }: { readonly operator: Pick<Operator, 'read'>, readonly showNames: boolean }): LoyaltyReader {
  const known = new Map<number, Loyalty | null>()

  function describe (rawBody: Uint8Array | undefined, eventType: string): Loyalty | null {
    const move = rawBody === undefined ? undefined : describeLoyalty(rawBody, eventType)
    return move === undefined ? null : toAnswer(move, showNames)
  }

  function remember (sequence: number, loyalty: Loyalty | null): void {
    known.set(sequence, loyalty)
    const oldest = known.keys().next()
    if (known.size > REMEMBERED && oldest.done !== true) known.delete(oldest.value)
  }

  return {
    describe,
    async read (deliveries) {
      await Promise.all(deliveries.map(async ({ sequence, eventType, state }) => {
        // The body is erased, so also drop what was cached from it.
        if (state === 'erased') remember(sequence, null)
        else if (!known.has(sequence)) remember(sequence, describe((await operator.read(sequence))?.rawBody, eventType))
      }))
      return new Map(deliveries.map(({ sequence }) => [sequence, known.get(sequence) ?? null]))
    }
  }
}

function toAnswer ({ from, to, customerName, ...rest }: LoyaltyMove, showNames: boolean): Loyalty {
  const tier = (told: LoyaltyMove['from']): Loyalty['from'] => told === null ? null : { ...told, rewards: [...told.rewards] }
  return { ...rest, from: tier(from), to: tier(to), customerName: showNames ? customerName : null }
}
