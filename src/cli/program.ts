import { Command, CommanderError } from 'commander'
import { ConfigurationError } from '../config/configuration-error.js'
import { describeSettings } from '../config/describe-settings.js'
import { check } from './check.js'
import type { CheckOptions } from './check.js'
import type { CommandContext } from './context.js'
import { events } from './events.js'
import type { EventsOptions } from './events.js'
import { exitCodes } from './exit-codes.js'
import { health } from './health.js'
import type { HealthOptions } from './health.js'
import { environmentFile, examples } from './help.js'
import { openapi } from './openapi.js'
import { schema } from './schema.js'
import type { SchemaOptions } from './schema.js'
import { addSendCommand } from './send-command.js'
import { serve } from './serve.js'
import type { ServeOptions } from './serve.js'
import { addStoreCommands } from './store-commands.js'
import { columnsOf } from './table.js'
import { UsageError } from './usage-error.js'
import { wholeNumber } from './whole-number.js'

/** Builds the command line. `finish` is told the exit code of the command that ran. */
function createProgram (context: CommandContext, finish: (exitCode: number) => void): Command {
  const width = Math.min(columnsOf(context.stdout) ?? 80, 120)
  const program = new Command('tierhook')
    .description('Receives Voucherify loyalty tier webhooks, keeps them, and forwards them.\nWithout a command it serves.')
    .version(context.version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .configureOutput({
      writeOut: text => { context.stdout.write(text) },
      writeErr: text => { context.stderr.write(text) },
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width
    })
    .showHelpAfterError('(add --help for help)')
    .exitOverride()
    .addHelpText('after', examples(
      'tierhook                                                  # serve, configured by .env',
      'tierhook send customer.loyalty.tier.upgraded              # in another terminal',
      'tierhook check --connect                                  # what would run, and whether it can be reached',
      'tierhook events                                           # what can be received',
      'tierhook tail                                             # what comes in',
      'tierhook forwarders                                       # how far each forwarder has come',
      'tierhook help serve                                       # every setting'
    ))

  program.command('serve')
    .description('run the service until SIGTERM, SIGINT or SIGHUP (default)')
    .option(...environmentFile)
    .addHelpText('after', () => `\nSettings, from the environment or the file:\n${describeSettings(width)}\n${examples(
      'tierhook serve',
      'PORT=8080 FORWARDERS=log,file tierhook serve',
      'tierhook serve --env-file /etc/tierhook.env'
    )}`)
    .action(async (options: ServeOptions) => { finish(await serve(context, options)) })

  program.command('check')
    .description('validate the configuration and show what would run, without secrets; exits 2 with every fault')
    .option('--connect', 'try whether each destination can be reached; exits 1 if one cannot')
    .option('--voucherify', 'ask Voucherify once how the webhook stands there (VOUCHERIFY_MANAGEMENT_ID); exits 1 if something is wrong')
    .option('--timeout-ms <milliseconds>', 'how long to try each', wholeNumber(1, 600_000), 10_000)
    .option('--json', 'show one JSON object instead')
    .option(...environmentFile)
    .addHelpText('after', examples('tierhook check', 'FORWARDERS_FILE=forwarders.json tierhook check --connect', 'tierhook check --voucherify', 'tierhook check --json | jq .forwarders'))
    .action(async (options: CheckOptions) => { finish(await check(context, options)) })

  addSendCommand(program, context, finish)

  program.command('events')
    .description('list the events that have a schema')
    .option('--json', 'show a JSON array instead')
    .addHelpText('after', examples('tierhook events', 'tierhook events --json | jq -r \'.[].url\''))
    .action((options: EventsOptions) => { finish(events(context, options)) })

  program.command('schema')
    .description('print the JSON Schema of an event\'s body, or of all events in one document')
    .argument('[event type]', 'a dotted type, or the documentation\'s name')
    .option('--envelope', 'the schema of the event in its envelope')
    .option('--out <dir>', 'write a file for each schema, bodies and envelopes, into this folder')
    .addHelpText('after', examples(
      'tierhook schema customer.loyalty.tier.upgraded',
      'tierhook schema customer.loyalty.tier.upgraded --envelope',
      'tierhook schema --out schemas                             # <event type>.schema.json, <event type>.envelope.schema.json'
    ))
    .action(async (name: string | undefined, options: SchemaOptions) => { finish(await schema(context, name, options)) })

  program.command('openapi')
    .description('print the OpenAPI 3.1 description of both listeners')
    .addHelpText('after', examples('tierhook openapi > openapi.json', 'tierhook openapi | jq \'.paths | keys\''))
    .action(async () => { finish(await openapi(context)) })

  program.command('health')
    .description('ask the service on this machine whether it lives; exits 0 if it does')
    .option(...environmentFile)
    .addHelpText('after', examples('tierhook health', 'PORT=8080 tierhook health'))
    .action(async (options: HealthOptions) => { finish(await health(context, options)) })

  addStoreCommands(program, context, finish)
  return program
}

function withDefaultCommand (args: readonly string[]): readonly string[] {
  const first = args[0]
  // Commander's own default command would take a mistyped command for its argument, and not propose the nearest one.
  return first === undefined || (first.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(first)) ? ['serve', ...args] : args
}

/** Runs the command line (without the program's name); resolves with the exit code and never rejects for a user's mistake. */
export async function runProgram (context: CommandContext, args: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok
  const program = createProgram(context, code => { exitCode = code })
  try {
    await program.parseAsync([...withDefaultCommand(args)], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (error instanceof ConfigurationError || error instanceof UsageError) {
      context.stderr.write(`tierhook: ${error.message}\n`)
      return exitCodes.usage
    }
    throw error
  }
}
