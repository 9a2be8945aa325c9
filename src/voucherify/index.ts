/**
 * What tierhook knows about Voucherify's loyalty tier events, for programs that receive them from a forwarder: schemas, their types,
 * validation, and signatures.
 */
export type { Fault } from '../errors/problem.js'
export {
  EVENT_KEYS, catalogue, findEvent, findEventByName, tierEvents,
  type CatalogueEntry, type EventBody, type EventEnvelope, type EventKind, type EventType
} from './catalogue.js'
export { EnvelopeSchema, EventSourceSchema, SourceSchema, envelopeOf, type Envelope, type EventSource, type Source } from './envelope.js'
export {
  CampaignTierCreatedSchema, CampaignTierDeletedSchema, CampaignTierUpdatedSchema,
  type CampaignTierCreated, type CampaignTierDeleted, type CampaignTierUpdated
} from './events/campaign-tier.js'
export {
  CustomerTierDowngradedSchema, CustomerTierJoinedSchema, CustomerTierLeftSchema, CustomerTierProlongedSchema,
  CustomerTierUpgradedSchema,
  type CustomerTierDowngraded, type CustomerTierJoined, type CustomerTierLeft, type CustomerTierProlonged, type CustomerTierUpgraded
} from './events/customer-tier.js'
export { LoyaltyCardTransactionSchema } from './events/also-known.js'
export * from './objects/index.js'
export { canonicalBytes } from './canonical-bytes.js'
export { sign, verifySignature, type SignatureInput, type SignatureResult } from './signature.js'
export { compileValidator, type Validator, type ValidatorOptions } from './validate.js'
