import type { Logger } from 'pino'
import type { Salvaged } from './salvage/salvage.js'

/** Tells a person what became of a damaged database, and what is lost. */
export function reportSalvaged (logger: Logger, salvaged: Salvaged | undefined): void {
  if (salvaged === undefined) return
  const { lost, lostSequences, damagedFile, damagedPages, kept, forwardersLost, ms } = salvaged
  logger.warn({ path: damagedFile, kept, damagedPages, ms }, 'damaged database set aside, and its records taken over into a new one')
  if (lost > 0) logger.error({ path: damagedFile, lost, sequences: lostSequences }, 'records lost to damage')
  if (forwardersLost) logger.error({ path: damagedFile }, 'forwarders lost to damage: those that are not known any more begin with the oldest delivery')
}
