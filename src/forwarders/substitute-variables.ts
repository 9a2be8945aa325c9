import { accepted, refused, type Decoded } from '../config/decoded.js'
import { readSecretFile } from '../config/secret-file.js'
import { FILE_SUFFIX } from '../config/settings.js'
import type { Fault } from '../errors/problem.js'

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Puts the environment's values where texts of a JSON value say `${NAME}`, so that secrets need not stand in a file. `$${`
 * stands for `${` itself. What is put in is not looked at again. A variable that is not set, or empty, is a fault, unless another one, with
 * `_FILE` behind its name, names a file that holds the text.
 */
export function substituteVariables (value: unknown, variables: Variables, pointer = ''): { readonly value: unknown, readonly faults: readonly Fault[] } {
  if (typeof value === 'string') return substituteText(value, variables, pointer)
  if (typeof value !== 'object' || value === null) return { value, faults: [] }
  const faults: Fault[] = []
  const put = (each: unknown, key: string | number): unknown => {
    const result = substituteVariables(each, variables, `${pointer}/${escapeToken(String(key))}`)
    faults.push(...result.faults)
    return result.value
  }
  if (Array.isArray(value)) return { value: value.map(put), faults }
  return { value: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, put(each, key)])), faults }
}

/** A key as it stands in a JSON pointer (RFC 6901, section 3). */
export function escapeToken (key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function substituteText (text: string, variables: Variables, pointer: string): { value: string, faults: readonly Fault[] } {
  const faults: Fault[] = []
  const value = text.replaceAll(/\$?\$\{([^}]*)\}?/g, (match, name: string) => {
    if (match.startsWith('$$')) return match.slice(1)
    if (!match.endsWith('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      // The text is not shown: what was meant for a variable's name may be its value.
      faults.push({ pointer, message: 'has a ${ that no name of a variable and } follow; write $${ for the characters themselves' }) // eslint-disable-line no-template-curly-in-string
      return ''
    }
    const found = lookUp(name, variables)
    if (found.ok) return found.value
    faults.push({ pointer, message: found.reason })
    return ''
  })
  return { value, faults }
}

function lookUp (name: string, variables: Variables): Decoded<string> {
  const valueOf = (each: string): string => Object.hasOwn(variables, each) ? variables[each] ?? '' : ''
  const text = valueOf(name)
  if (text !== '') return accepted(text)
  const path = valueOf(`${name}${FILE_SUFFIX}`)
  if (path === '') return refused(`needs the variable ${name}, which is not set or empty`)
  const decoded = readSecretFile(path)
  return decoded.ok ? decoded : refused(`needs the variable ${name}, whose file ${path} ${decoded.reason}`)
}
