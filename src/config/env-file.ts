import { parseEnv } from 'node:util'
import { closest, distance } from 'fastest-levenshtein'
import type { ConfigurationFault } from './configuration-error.js'
import { FILE_SUFFIX, isSecret, isSettingName, settingNamed, settingNames } from './settings.js'

/** The text of a `.env` file. The path is for messages. */
export interface EnvFile {
  readonly path: string
  readonly text: string
}

export interface EnvFileContent {
  readonly values: ReadonlyMap<string, string>
  readonly faults: readonly ConfigurationFault[]
}

export interface ReadEnvFileOptions {
  /** The environment's value of FORWARDERS_FILE. If there is a forwarders file, it may refer to variables that are not tierhook's. */
  readonly forwardersFile?: string | undefined
}

/** If there is a forwarders file, an unknown name within this edit distance of a variable's name counts as a typing error. */
const SLIP = 2

const assignment = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)\s*(.*)$/

function unknownName (name: string, place: string): ConfigurationFault {
  const nearest = closest(name.toUpperCase(), settingNames)
  // If more than half of its letters differ, the name is another word and no typing error.
  const near = distance(name.toUpperCase(), nearest) <= name.length / 2
  return { variable: name, message: `is not a variable of tierhook (${place}); ${near ? `did you mean ${nearest}?` : 'remove it'}` }
}

function isOther (name: string): boolean {
  return distance(name.toUpperCase(), closest(name.toUpperCase(), settingNames)) > SLIP
}

/**
 * Reads a `.env` file and finds all its faults: an unknown name, a name set twice, a line that sets nothing, and a value that the format would
 * cut off. No fault quotes a line, because a line may contain a secret. If there is a forwarders file, an unknown name may be used there, so
 * only names that look like typing errors are faults.
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

/** A line that is neither blank nor a comment, with the further lines of its quoted value. Without a name it sets nothing. */
interface Assignment {
  readonly name: string | undefined
  /** The text after the equals sign, as it is written. */
  readonly value: string
  readonly line: number
}

/**
 * Splits the text into assignments. Node.js parses only single values here, because its releases differ in how they read names, colons, line
 * ends and comments.
 */
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

/** Returns why a value would be cut off; `undefined` if it would not. */
function cutOff (value: string, place: string): string | undefined {
  const quote = quoteOf(value)
  if (quote === undefined) return /\S#/.test(value) ? `has a # inside its value (${place}), which would begin a comment; put the value in quotation marks` : undefined
  const end = value.indexOf(quote, 1)
  if (end === -1) return `has a quotation mark that is never closed (${place}); close it`
  if (/^\s*(#|$)/.test(value.slice(end + 1))) return undefined
  return `has something after its closing quotation mark (${place}), which would be left out; put the value in quotation marks that are not in it`
}

/**
 * Lists the names in the file whose values are secret. If the environment names a forwarders file, the names that are not tierhook's are secret
 * too, because such variables keep secrets out of the forwarders file.
 */
export function secretNames (file: EnvFile, options: ReadEnvFileOptions = {}): readonly string[] {
  const { values } = readEnvFile(file, options)
  const referable = (options.forwardersFile ?? '') !== ''
  return [...values].filter(([, value]) => value !== '').map(([name]) => name)
    .filter((name) => isSettingName(name) ? isSecret(name) : referable && !name.endsWith(FILE_SUFFIX))
}
