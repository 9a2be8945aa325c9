import type { Fault } from '../errors.js'

/**
 * Puts the environment's values where texts of a JSON value say `${NAME}`, so that secrets need not stand in a file. `$$`
 * before a brace stands for a dollar sign.
 */
export function substituteVariables (
  value: unknown, environment: Readonly<Record<string, string | undefined>>, pointer = ''
): { readonly value: unknown, readonly faults: readonly Fault[] } {
  if (typeof value === 'string') return substituteText(value, environment, pointer)
  if (typeof value !== 'object' || value === null) return { value, faults: [] }
  const faults: Fault[] = []
  const put = (each: unknown, key: string): unknown => {
    const result = substituteVariables(each, environment, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    faults.push(...result.faults)
    return result.value
  }
  if (Array.isArray(value)) return { value: value.map((each, index) => put(each, String(index))), faults }
  return { value: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, put(each, key)])), faults }
}

function substituteText (text: string, environment: Readonly<Record<string, string | undefined>>, pointer: string): { value: string, faults: readonly Fault[] } {
  const faults: Fault[] = []
  const value = text.replaceAll(/\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_match, name: string | undefined) => {
    if (name === undefined) return '${' // eslint-disable-line no-template-curly-in-string
    const found = environment[name] ?? ''
    if (found === '') faults.push({ pointer, message: `needs the environment variable ${name}, which is not set` })
    return found
  })
  return { value, faults }
}
