import { forwarderNames } from '../composition/configured-forwarders.js'
import { inspectFiles } from '../composition/inspect-files.js'
import { openLogOutput } from '../composition/log-output.js'
import { checkDatabase, openOperator, readDrift, resetDrift, storeActions, storeCopies, storeErasures } from '../composition/open-store.js'
import { exitCodes } from './command-line.js'
import type { CommandContext, ProcessContext } from './context.js'

export interface ServicesOptions {
  /** File descriptor of the log. */
  readonly fd: number
  /** Called when the log is abandoned because its reader takes nothing. */
  readonly onLogAbandoned: () => void
  /** Lets `listener` decide the exit code if the process ends. Returns a function that removes the listener. */
  readonly onExit: (listener: () => number) => () => void
}

/**
 * Creates what commands use of the rest of the program. Parts that few commands need are imported on their first call, because loading them takes
 * half of a start.
 */
export function createServices ({ version, environment, stderr }: ProcessContext, { fd, onLogAbandoned, onExit }: ServicesOptions): Omit<CommandContext, keyof ProcessContext> {
  return {
    openLog () {
      const log = openLogOutput({
        fd,
        onError: error => { stderr.write(`tierhook: log lines cannot be written: ${error.message}\n`) }
      })
      return {
        ...log,
        abandon () {
          onLogAbandoned()
          log.abandon()
        }
      }
    },
    async createService (options) {
      const { createService } = await import('../composition/service.js')
      return createService({ ...options, version, environment })
    },
    inspectFiles,
    async inspectForwarders (options) {
      const { inspectForwarders } = await import('../composition/inspect-forwarders.js')
      // Without this, a module that ends the process while it is loaded would look like a configuration without faults.
      const unsubscribe = onExit(() => {
        stderr.write('tierhook: The module of a custom forwarder ended the process while it was loaded\n')
        return exitCodes.usage
      })
      try {
        return await inspectForwarders({ ...options, version, environment })
      } finally {
        unsubscribe()
      }
    },
    forwarderNames,
    checkDatabase,
    openOperator,
    storeCopies,
    async moveStore (options) {
      const { moveStore } = await import('../composition/move.js')
      return await moveStore(options)
    },
    storeErasures,
    storeActions,
    async describeApi () {
      const { describeServiceApi } = await import('../composition/describe-service-api.js')
      return await describeServiceApi({ version })
    },
    readDrift,
    resetDrift,
    async askSender (options) {
      const { askSenderOnce } = await import('../composition/open-watchdog.js')
      return await askSenderOnce({ ...options, version, environment })
    }
  }
}
