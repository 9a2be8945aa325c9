import { parseEnv } from 'node:util'
import { closest, distance } from 'fastest-levenshtein'
import type { ConfigurationFault } from './configuration-error.js'
import { FILE_SUFFIX, isSecret, isSettingName, settingNamed, settingNames } from './settings.js'

/** A `.env` file as it was read; the path is for messages. */
export interface EnvFile {
  readonly path: string
  readonly text: string
}

export interface EnvFileContent {
  readonly values: ReadonlyMap<string, string>
  readonly faults: readonly ConfigurationFault[]
}

export interface ReadEnvFileOptions {
  /** What the environment has for the file of forwarders, which may refer to variables that are not tierhook's own. */
  readonly forwardersFile?: string | undefined
}

/** No farther from a variable's name than this, another name is a slip. */
const SLIP = 2

const assignment = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)\s*(.*)$/

function unknownName (name: string, place: string): ConfigurationFault {
  const nearest = closest(name.toUpperCase(), settingNames)
  // Farther than half of its letters away it is another word, not a slip.
  const near = distance(name.toUpperCase(), nearest) <= name.length / 2
  return { variable: name, message: `is not a variable of tierhook (${place}); ${near ? `did you mean ${nearest}?` : 'remove it'}` }
}

function isOther (name: string): boolean {
  return distance(name.toUpperCase(), closest(name.toUpperCase(), settingNames)) > SLIP
}

/**
 * Reads a `.env` file with every fault of its own: an unknown name, a name set twice, a line that sets nothing, and a value
 * that the format would cut off. No line is quoted in a fault: it may hold a secret.
 * Where there is a file of forwarders, unknown names may be for it, and only those that look like a slip are a fault.
 */
export function readEnvFile (file: EnvFile, { forwardersFile = '' }: ReadEnvFileOptions = {}): EnvFileContent {
  const faults: ConfigurationFault[] = []
  const values = new Map<string, string>()
  const firstLine = new Map<string, number>()
  const assignments = assignmentsIn(file.text)
  for (const { name, value } of assignments) if (name !== undefined) values.set(name, valueOf(value))
  const referable = forwardersFile !== '' || (values.get('FORWARDERS_FILE') ?? '') !== ''
  for (const { name, value, line } of assignments) {
    const place = `line ${line} of ${file.path}`
    if (name === undefined) {
      faults.push({ variable: place, message: 'is not NAME=value; correct it, or put a # before it' })
      continue
    }
    const first = firstLine.get(name)
    if (settingNamed(name) === undefined && !(referable && isOther(name))) faults.push(unknownName(name, place))
    else if (first !== undefined) faults.push({ variable: name, message: `is set twice, in lines ${first} and ${line} of ${file.path}; keep one` })
    firstLine.set(name, first ?? line)
    const cut = cutOff(value, place)
    if (cut !== undefined) faults.push({ variable: name, message: cut })
  }
  return { values, faults }
}

/** A line that says something, with those that its quotation mark takes in. Without a name it sets nothing. */
interface Assignment {
  readonly name: string | undefined
  /** What stands behind the equals sign, as it is written. */
  readonly value: string
  readonly line: number
}

/** Node.js reads single values alone: what it makes of names, colons, line ends and comments differs from one of its releases to the next. */
function assignmentsIn (text: string): readonly Assignment[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n?|\n/)
  const assignments: Assignment[] = []
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (/^\s*(#|$)/.test(line)) continue
    const [, name, value = ''] = assignment.exec(line) ?? []
    const quote = quoteOf(value)
    const closed = quote === undefined || value.includes(quote, 1)
    const end = closed ? index : lines.findIndex((later, laterIndex) => laterIndex > index && later.includes(quote))
    assignments.push({ name, value: [value, ...lines.slice(index + 1, end + 1)].join('\n').trim(), line: index + 1 })
    index = Math.max(index, end)
  }
  return assignments
}

function quoteOf (value: string): string | undefined {
  return /^["'`]/.exec(value)?.[0]
}

function valueOf (value: string): string {
  const quote = quoteOf(value)
  if (quote === undefined) return value.replace(/#.*$/s, '').trim()
  return parseEnv(`VALUE=${value.slice(0, value.indexOf(quote, 1) + 1)}`)['VALUE'] ?? ''
}

/** Why less of a value would be taken than is written; `undefined` where all is. */
function cutOff (value: string, place: string): string | undefined {
  const quote = quoteOf(value)
  if (quote === undefined) return /\S#/.test(value) ? `has a # inside its value (${place}), which would begin a comment; put the value in quotation marks` : undefined
  const end = value.indexOf(quote, 1)
  if (end === -1) return `has a quotation mark that is never closed (${place}); close it`
  if (/^\s*(#|$)/.test(value.slice(end + 1))) return undefined
  return `has something behind its closing quotation mark (${place}), which would be left out; put the value in quotation marks that are not in it`
}

/**
 * The names that stand in the file for something that nobody else should know. With a file of forwarders that is each name which is not
 * tierhook's own, too: such names are there to keep secrets out of that file.
 */
export function secretNames (file: EnvFile, options: ReadEnvFileOptions = {}): readonly string[] {
  const { values } = readEnvFile(file, options)
  const referable = (options.forwardersFile ?? '') !== ''
  return [...values].filter(([, value]) => value !== '').map(([name]) => name)
    .filter((name) => isSettingName(name) ? isSecret(name) : referable && !name.endsWith(FILE_SUFFIX))
}
