/**
 * For whoever writes a forwarder: the contract that every forwarder keeps, as tests, and what they are made from.
 */
export { forwarderContract, type ContractOptions, type ContractTest } from './forwarder-contract.js'
export { forwarderContext } from './forwarder-contract.js'
export { sampleAttempt, sampleDelivery, type SampleDeliveryOptions } from './sample-attempt.js'
