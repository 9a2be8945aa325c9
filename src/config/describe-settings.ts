import { FILE_SUFFIX, isSecret, type SettingName, settingNames, SettingsSchema } from './settings.js'

/** The description of one variable. */
export interface SettingDescription {
  readonly name: SettingName
  readonly group: string
  readonly description: string
  /** The unit of a number; `undefined` if it has none. */
  readonly unit: string | undefined
  /** The value that is used if the variable is not set, as it would be written; empty if there is none. */
  readonly fallback: string
  readonly secret: boolean
}

/** All variables, in the order in which they are documented. */
export const settingDescriptions: readonly SettingDescription[] = settingNames.map(name => {
  const schema = SettingsSchema.properties[name]
  const unit: unknown = schema['unit']
  return {
    name,
    group: String(schema['group']),
    description: String(schema.description),
    unit: typeof unit === 'string' ? unit : undefined,
    fallback: String(schema.default ?? schema['fallback']),
    secret: isSecret(name)
  }
})

function wrap (text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** Returns the meaning of a variable in one paragraph: its description, its unit, and for a secret the variable that names a file with it. */
export function meaningOf ({ name, description, unit, secret }: SettingDescription): string {
  return [description, ...unit === undefined ? [] : [`In ${unit}.`], ...secret ? [`Or ${name}${FILE_SUFFIX}: the path of a file that holds it.`] : []].join(' ')
}

/** Describes all variables with meaning, unit and default, for a terminal of `width` columns. */
export function describeSettings (width: number): string {
  const lines: string[] = []
  let group = ''
  for (const setting of settingDescriptions) {
    if (setting.group !== group) lines.push('', `${setting.group}:`)
    group = setting.group
    lines.push(`  ${setting.name}${setting.fallback === '' ? '' : `  (default: ${setting.fallback})`}`)
    lines.push(...wrap(meaningOf(setting), Math.max(width - 6, 40)).map(line => `      ${line}`))
  }
  return lines.slice(1).join('\n')
}

const ENV_EXAMPLE_COLUMNS = 110

/** Makes the text of `.env.example`: all variables with meaning, unit and default, as comments. */
export function envExample (): string {
  const lines = [
    '# Copy this file to .env and remove the # before what you change. An empty value counts as not set, and the',
    '# environment wins over the file. A value with a # or a leading or trailing space needs quotation marks.'
  ]
  let group = ''
  for (const setting of settingDescriptions) {
    if (setting.group !== group) lines.push('', `## ${setting.group}`)
    group = setting.group
    lines.push('', ...wrap(meaningOf(setting), ENV_EXAMPLE_COLUMNS - 2).map(line => `# ${line}`), `# ${setting.name}=${setting.fallback}`)
  }
  return `${lines.join('\n')}\n`
}
