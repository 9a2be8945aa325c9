import { type StaticDecode, Type } from '@sinclair/typebox'
import { forwardingSettings } from './settings/forwarding.js'
import { serverSettings } from './settings/server.js'
import { voucherifySettings } from './settings/voucherify.js'
import { webhookSettings } from './settings/webhook.js'

/**
 * All environment variables that tierhook reads, by name. One entry defines a variable: how its text is read and checked, its default, the help
 * of `serve`, and its text in `.env.example`.
 */
export const SettingsSchema = Type.Object({ ...serverSettings, ...webhookSettings, ...forwardingSettings, ...voucherifySettings }, { additionalProperties: false })

/** The configuration, read once at the start. */
export type Settings = StaticDecode<typeof SettingsSchema>

/** The name of a variable. */
export type SettingName = keyof Settings

const names: ReadonlySet<string> = new Set(Object.keys(SettingsSchema.properties))

/** Whether `name` is a variable that tierhook reads. */
export function isSettingName (name: string): name is SettingName {
  return names.has(name)
}

/** Appended to a secret variable's name, it names a variable with the path of a file that holds the value: `ADMIN_TOKEN_FILE`. */
export const FILE_SUFFIX = '_FILE'

/** Returns the variable that a name sets: itself, or for a name with `_FILE` the secret variable; `undefined` if tierhook has no such variable. */
export function settingNamed (name: string): SettingName | undefined {
  if (isSettingName(name)) return name
  const first = name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : ''
  return isSettingName(first) && isSecret(first) ? first : undefined
}

/** Whether the value of a variable is secret. */
export function isSecret (name: SettingName): boolean {
  return SettingsSchema.properties[name]['secret'] === true
}

/** All variables, in the order in which they are documented. */
export const settingNames: readonly SettingName[] = [...names].filter(isSettingName)
