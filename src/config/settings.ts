import { type StaticDecode, Type } from '@sinclair/typebox'
import { forwardingSettings } from './settings/forwarding.js'
import { serverSettings } from './settings/server.js'
import { voucherifySettings } from './settings/voucherify.js'
import { webhookSettings } from './settings/webhook.js'

/**
 * Every environment variable that tierhook reads, by name. One entry makes a variable: from it come how its text is read, what is checked,
 * its default, the help of `serve` and what `.env.example` has to say.
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

/** Follows the name of a secret variable in that of a second one, which names a file that holds the value: `ADMIN_TOKEN_FILE`. */
export const FILE_SUFFIX = '_FILE'

/** The variable that is set by a name: by its own, or by that of a second one; `undefined` where that is none of tierhook's. */
export function settingNamed (name: string): SettingName | undefined {
  if (isSettingName(name)) return name
  const first = name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : ''
  return isSettingName(first) && isSecret(first) ? first : undefined
}

/** Whether nobody else should know the value of a variable. */
export function isSecret (name: SettingName): boolean {
  return SettingsSchema.properties[name]['secret'] === true
}

/** Every variable, in the order in which a person reads about them. */
export const settingNames: readonly SettingName[] = [...names].filter(isSettingName)
