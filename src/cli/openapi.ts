import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'

/** Shows the OpenAPI description of both listeners, without a service; resolves with the exit code once it has left the process. */
export async function openapi ({ stdout, describeApi }: CommandContext): Promise<number> {
  const text = `${JSON.stringify(await describeApi(), null, 2)}\n`
  // It is more than a pipe holds, and the process ends with the command.
  await new Promise<void>((resolve) => { stdout.write(text, () => { resolve() }) })
  return exitCodes.ok
}
