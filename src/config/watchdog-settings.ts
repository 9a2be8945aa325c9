import { managementUrls } from '../voucherify/source-addresses.js'
import type { ConfigurationFault } from './configuration-error.js'
import type { ReadableSettings } from './contradictions.js'
import type { Settings } from './settings.js'

/** The settings that the watchdog needs. */
export interface WatchdogSettings {
  readonly publicUrl: string
  readonly managementId: string
  readonly managementToken: string
  readonly projectId: string
  /** The part of the Management API's URL before `/management`. */
  readonly managementUrl: string
  readonly reenable: boolean
}

/** If one of these is set, all are needed. `PUBLIC_URL` alone does not turn the watchdog on. */
const needed = ['VOUCHERIFY_MANAGEMENT_ID', 'VOUCHERIFY_MANAGEMENT_TOKEN', 'VOUCHERIFY_PROJECT_ID', 'PUBLIC_URL'] as const
const places = ['VOUCHERIFY_REGION', 'VOUCHERIFY_MANAGEMENT_URL'] as const
const asking = [...needed.filter((name) => name !== 'PUBLIC_URL'), ...places] as const

/** Returns the watchdog's settings; `undefined` if the watchdog is off. */
export function watchdogSettings (settings: Settings): WatchdogSettings | undefined {
  const { PUBLIC_URL: publicUrl, VOUCHERIFY_MANAGEMENT_ID: managementId, VOUCHERIFY_MANAGEMENT_TOKEN: managementToken, VOUCHERIFY_PROJECT_ID: projectId } = settings
  const managementUrl = settings.VOUCHERIFY_MANAGEMENT_URL ?? (settings.VOUCHERIFY_REGION === undefined ? undefined : managementUrls[settings.VOUCHERIFY_REGION])
  if (publicUrl === undefined || managementId === undefined || managementToken === undefined || projectId === undefined || managementUrl === undefined) return undefined
  return { publicUrl, managementId, managementToken, projectId, managementUrl, reenable: settings.VOUCHERIFY_REENABLE }
}

/** Finds the watchdog settings that are missing although others are set, and those that are given twice. */
export function findWatchdogFaults (settings: ReadableSettings, unreadable: ReadonlySet<string>): ConfigurationFault[] {
  const isThere = (name: typeof needed[number] | typeof places[number]): boolean => settings[name] !== undefined || unreadable.has(name)
  const wantedBy = asking.find(isThere) ?? (settings.VOUCHERIFY_REENABLE === true ? 'VOUCHERIFY_REENABLE' : undefined)
  if (wantedBy === undefined) return []
  const missing: ConfigurationFault[] = needed.filter((name) => !isThere(name)).map((name) => ({
    variable: name,
    message: `is not set, but ${wantedBy} is: the watchdog needs both; set it, or remove all that begins with VOUCHERIFY_MANAGEMENT_, VOUCHERIFY_PROJECT_ID, VOUCHERIFY_REGION and VOUCHERIFY_REENABLE`
  }))
  const named = places.filter(isThere)
  if (named.length === 0) missing.push({ variable: 'VOUCHERIFY_REGION', message: `is not set, but ${wantedBy} is; set it to eu1, us1 or as1, or VOUCHERIFY_MANAGEMENT_URL to the address of a region of your own` })
  if (named.length === 2) missing.push({ variable: 'VOUCHERIFY_MANAGEMENT_URL', message: 'is set, but so is VOUCHERIFY_REGION, which says where the Management API is too; remove the one or the other' })
  return missing
}
