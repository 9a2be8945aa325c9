import { accepted, refused, type Decoded } from '../config/decoded.js'
import { readSecretFile } from '../config/secret-file.js'
import { FILE_SUFFIX } from '../config/settings.js'
import type { Fault } from '../errors/problem.js'

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Replaces `${NAME}` in the texts of a JSON value with environment variables, so that secrets can stay out of files. `$${` is written for
 * a plain `${`. Substituted values are not substituted again. If a variable is absent or empty, the variable with `_FILE` added to its
 * name may name a file with the text; otherwise the place is a fault.
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

/** Escapes a key for a JSON pointer (RFC 6901, section 3). */
export function escapeToken (key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function substituteText (text: string, variables: Variables, pointer: string): { value: string, faults: readonly Fault[] } {
  const faults: Fault[] = []
  const value = text.replaceAll(/\$?\$\{([^}]*)\}?/g, (match, name: string) => {
    if (match.startsWith('$$')) return match.slice(1)
    if (!match.endsWith('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      // Do not quote the text: a secret may have been written in place of a variable's name.
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
