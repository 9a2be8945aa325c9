import { FILE_SUFFIX, isSecret, type SettingName, settingNames, SettingsSchema } from './settings.js'

/** One variable, in words. */
export interface SettingDescription {
  readonly name: SettingName
  readonly group: string
  readonly description: string
  /** What a number counts. */
  readonly unit: string | undefined
  /** What an absent variable means, as it would be written; empty for nothing. */
  readonly fallback: string
  readonly secret: boolean
}

/** Every variable, in the order in which a person reads about them. */
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

/** What a variable means, in one paragraph: its description, its unit, and where a secret may stand instead. */
export function meaningOf ({ name, description, unit, secret }: SettingDescription): string {
  return [description, ...unit === undefined ? [] : [`In ${unit}.`], ...secret ? [`Or ${name}${FILE_SUFFIX}: the path of a file that holds it.`] : []].join(' ')
}

/** Every variable with its meaning, unit and default, for a terminal of `width` columns. */
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

/** What `.env.example` holds: every variable with its meaning, unit and default, as a comment. */
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
