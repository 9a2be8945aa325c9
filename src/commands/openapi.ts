import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'

/** Shows the OpenAPI description of both listeners, without a service; resolves with the exit code. */
export async function openapi ({ stdout, describeApi }: CommandContext): Promise<number> {
  stdout.write(`${JSON.stringify(await describeApi(), null, 2)}\n`)
  return exitCodes.ok
}
