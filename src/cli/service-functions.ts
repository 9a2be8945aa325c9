/** What the commands do their work with: the one place where the command line meets the service's composition. */
export { forwarderNames } from '../configured-forwarders.js'
export { describeServiceApi } from '../describe-service-api.js'
export { inspectForwarders } from '../inspect-forwarders.js'
export { openOperator, readDrift, storeCopies, storeErasures } from '../open-store.js'
export { askSenderOnce } from '../open-watchdog.js'
export { createService, OperatorListenerError } from '../service.js'
