/** The option of every command that reads the configuration, as commander takes it. */
export const environmentFile = ['--env-file <path>', 'file of NAME=value lines; the environment wins over it (default: .env, if it is there)'] as const

/** Examples for the end of a command's help. */
export function examples (...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ ${line}`).join('\n')}`
}
