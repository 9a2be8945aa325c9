import { parse } from 'dotenv'
import { closest, distance } from 'fastest-levenshtein'
import type { ConfigurationFault } from './configuration-error.js'
import { isSettingName, settingNames } from './settings.js'

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
 * that the format would cut off. Values are what dotenv makes of them. No line is quoted in a fault: it may hold a secret.
 * Where there is a file of forwarders, unknown names may be for it, and only those that look like a slip are a fault.
 */
export function readEnvFile (file: EnvFile, { forwardersFile = '' }: ReadEnvFileOptions = {}): EnvFileContent {
  const faults: ConfigurationFault[] = []
  const firstLine = new Map<string, number>()
  const lines = file.text.replace(/^\uFEFF/, '').split(/\r\n?|\n/)
  const values = new Map(Object.entries(parse(lines.join('\n'))))
  const referable = forwardersFile !== '' || (values.get('FORWARDERS_FILE') ?? '') !== ''
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (/^\s*(#|$)/.test(line)) continue
    const number = index + 1
    const place = `line ${number} of ${file.path}`
    const [, name, value = ''] = assignment.exec(line) ?? []
    if (name === undefined) {
      faults.push({ variable: place, message: 'is not NAME=value; correct it, or put a # before it' })
      continue
    }
    const first = firstLine.get(name)
    if (!isSettingName(name) && !(referable && isOther(name))) faults.push(unknownName(name, place))
    else if (first !== undefined) faults.push({ variable: name, message: `is set twice, in lines ${first} and ${number} of ${file.path}; keep one` })
    firstLine.set(name, first ?? number)

    const quote = /^["'`]/.exec(value)?.[0]
    if (quote === undefined) {
      if (/\S#/.test(value)) faults.push({ variable: name, message: `has a # inside its value (${place}), which would begin a comment; put the value in quotation marks` })
      continue
    }
    if (value.indexOf(quote, 1) !== -1) continue
    const end = lines.findIndex((later, laterIndex) => laterIndex > index && later.includes(quote))
    if (end === -1) faults.push({ variable: name, message: `has a quotation mark that is never closed (${place}); close it` })
    else index = end
  }
  return { values, faults }
}
