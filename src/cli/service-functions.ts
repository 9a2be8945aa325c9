/** What the commands do their work with: the one place where the command line meets the service's composition. */
export { createService, describeServiceApi, forwarderNames, inspectForwarders, openOperator, OperatorListenerError, readDrift } from '../service.js'
