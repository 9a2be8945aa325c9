/** For authors of custom forwarders: the contract of every forwarder, as tests, and sample deliveries. */
export { forwarderContract, type ContractOptions, type ContractTest } from './forwarder-contract.js'
export { forwarderContext } from './forwarder-contract.js'
export { sampleAttempt, sampleDelivery, type SampleDeliveryOptions } from './sample-attempt.js'
