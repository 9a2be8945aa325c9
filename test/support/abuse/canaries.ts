/** Stands in values of bodies and of headers. Must stand in no answer, and in no line of the log. */
export const CANARY = 'c4nary-b6e1'
/** Stands in paths. Must stand in no answer. */
export const PATH_CANARY = 'p4thbird-77d0'
/** Begins the ids of events that are hidden in other requests, and must never be taken for events of their own. */
export const SMUGGLED = 'smuggled-'
