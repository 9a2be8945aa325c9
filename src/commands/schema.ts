import { join, resolve } from 'node:path'
import { makeFolder } from '../errors/make-folder.js'
import { replaceFile } from '../errors/replace-file.js'
import { findEventByName } from '../voucherify/catalogue.js'
import { allSchemas, eventSchemas, schemaBundle, type NamedSchema } from '../voucherify/json-schema.js'
import type { JsonSchema } from '../voucherify/schema-writer.js'
import type { CommandContext } from './context.js'
import { errorCode } from '../errors/system-code.js'
import { nearestEventType } from './event-types.js'
import { exitCodes, UsageError } from './command-line.js'

export interface SchemaOptions {
  readonly out?: string | undefined
  readonly envelope?: boolean | undefined
}

/** Schemas are public, so the umask alone decides the mode. */
const MODE = 0o666

/**
 * Prints JSON Schemas of events, or writes a file for each. Resolves with the exit code.
 * @throws UsageError if the event has no schema, or options contradict each other
 */
export async function schema (context: CommandContext, name: string | undefined, { out, envelope = false }: SchemaOptions): Promise<number> {
  if (envelope && out !== undefined) throw new UsageError('--out writes bodies and envelopes: leave out --envelope')
  if (envelope && name === undefined) throw new UsageError('--envelope needs an event type, such as customer.loyalty.tier.upgraded')
  const one = name === undefined ? undefined : schemasOf(name)
  if (out !== undefined) return await writeFiles(context, resolve(context.directory, out), one === undefined ? allSchemas() : Object.values(one))
  context.stdout.write(format(one === undefined ? schemaBundle() : (envelope ? one.envelope : one.body).schema))
  return exitCodes.ok
}

function schemasOf (name: string): ReturnType<typeof eventSchemas> {
  const event = findEventByName(name)
  if (event === undefined) {
    throw new UsageError(`${JSON.stringify(name)} is not an event type that tierhook has a schema of: did you mean ${nearestEventType(name)}? ` +
      '"tierhook events" lists them all')
  }
  return eventSchemas(event)
}

async function writeFiles ({ stdout, stderr }: CommandContext, folder: string, schemas: readonly NamedSchema[]): Promise<number> {
  try {
    await makeFolder(folder)
    for (const { name, schema } of schemas) {
      const path = join(folder, `${name}.schema.json`)
      // Replace the file as a whole: a half-written schema could be read as a complete one.
      await replaceFile(path, format(schema), MODE)
      stdout.write(`${path}\n`)
    }
    return exitCodes.ok
  } catch (error) {
    stderr.write(`tierhook: The schemas cannot be written to ${folder} (${errorCode(error)}): check the path, its permissions, and the room on its disk\n`)
    return exitCodes.failure
  }
}

function format (schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** Prints the OpenAPI description of both listeners. No service is needed. Resolves with the exit code. */
export async function openapi ({ stdout, describeApi }: CommandContext): Promise<number> {
  stdout.write(`${JSON.stringify(await describeApi(), null, 2)}\n`)
  return exitCodes.ok
}
