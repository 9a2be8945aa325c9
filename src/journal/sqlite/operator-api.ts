import { statSync } from 'node:fs'
import { databasePath } from './database.js'
import { openOperatorApi, type OperatorApi, type SqliteOperatorOptions } from './operator.js'
import type { OperatorThreadApi } from './remote-operator.js'

/**
 * An operator that keeps the store open from call to call: the descriptors of a connection may outlive it. A store that is not there
 * yet may be there the next time, and one that another file has taken the place of is opened anew.
 */
export function createOperatorApi ({ judge, parseFilter, now }: Omit<SqliteOperatorOptions, 'dataDir'>): OperatorThreadApi {
  let dataDir = ''
  let opened: { readonly api: OperatorApi, readonly file: string | undefined } | undefined

  function letGo (): void {
    opened?.api.close()
    opened = undefined
  }

  function api (): OperatorApi {
    const file = identityOf(databasePath(dataDir))
    if (opened !== undefined && opened.file !== file) letGo()
    opened ??= { api: openOperatorApi({ dataDir, judge, parseFilter, now }), file }
    return opened.api
  }

  return {
    open: (options) => { dataDir = options.dataDir },
    isServed: () => api().isServed(),
    lastSequence: () => api().lastSequence(),
    countQuarantined: () => api().countQuarantined(),
    list: (query) => api().list(query),
    page: (query) => api().page(query),
    find: (idPrefix) => api().find(idPrefix),
    read: (sequence) => api().read(sequence),
    deadLetters: (query) => api().deadLetters(query),
    deadLetterPage: (query) => api().deadLetterPage(query),
    unfinished: (query) => api().unfinished(query),
    release: (request) => api().release(request),
    replay: (request) => api().replay(request),
    discard: (request) => api().discard(request),
    keepPaused: (request) => { api().keepPaused(request) },
    forwarders: (options) => api().forwarders(options),
    forget: (request) => api().forget(request),
    verify: (request) => api().verify(request),
    checkFiles: () => api().checkFiles(),
    prune: (request) => api().prune(request),
    countPrunable: (request) => api().countPrunable(request),
    erase: (request) => api().erase(request),
    scrub: (request) => api().scrub(request),
    letGo,
    close: letGo
  }
}

function identityOf (path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev} ${ino}`
  } catch {
    // Opening it tells why.
    return undefined
  }
}
