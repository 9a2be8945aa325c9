import { openOperatorApi, type OperatorApi, type SqliteOperatorOptions } from './operator.js'
import type { OperatorThreadApi } from './remote-operator.js'

/**
 * An operator that opens the store for each call anew: a salvage may put another file in its place at any time, and a store
 * that is not there yet may be there the next time.
 */
export function createOperatorApi ({ judge, now }: Omit<SqliteOperatorOptions, 'dataDir'>): OperatorThreadApi {
  let dataDir = ''

  function using<T> (work: (api: OperatorApi) => T): T {
    const api = openOperatorApi({ dataDir, judge, now })
    try {
      return work(api)
    } finally {
      api.close()
    }
  }

  return {
    open: (options) => { dataDir = options.dataDir },
    isServed: () => using((api) => api.isServed()),
    lastSequence: () => using((api) => api.lastSequence()),
    countQuarantined: () => using((api) => api.countQuarantined()),
    list: (query) => using((api) => api.list(query)),
    page: (query) => using((api) => api.page(query)),
    find: (idPrefix) => using((api) => api.find(idPrefix)),
    read: (sequence) => using((api) => api.read(sequence)),
    deadLetters: (query) => using((api) => api.deadLetters(query)),
    deadLetterPage: (query) => using((api) => api.deadLetterPage(query)),
    release: (request) => using((api) => api.release(request)),
    replay: (request) => using((api) => api.replay(request)),
    forwarders: (options) => using((api) => api.forwarders(options)),
    forget: (request) => using((api) => api.forget(request)),
    verify: (request) => using((api) => api.verify(request)),
    checkFiles: () => using((api) => api.checkFiles()),
    prune: (request) => using((api) => api.prune(request)),
    countPrunable: (request) => using((api) => api.countPrunable(request)),
    close: () => {}
  }
}
