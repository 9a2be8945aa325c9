/** Part of values in bodies and headers. Must not occur in any answer or log line. */
export const CANARY = 'c4nary-b6e1'
/** Part of paths. Must not occur in any answer. */
export const PATH_CANARY = 'p4thbird-77d0'
/** The prefix of ids of events that are hidden in other requests. Such an event must never be accepted. */
export const SMUGGLED = 'smuggled-'
