import { Argument, Command, CommanderError } from 'commander'
import { ConfigurationError } from '../config/configuration-error.js'
import type { CommandContext, ProcessContext } from './context.js'
import { completionScript, completionShells, type CompletionShell } from './completion.js'
import { environmentFile, examples, exitCodes, UsageError, wholeNumber, type Runs } from './command-line.js'
import { printableText } from '../terminal/printable.js'
import { addSendCommand } from './send-command.js'
import { columnsOf } from '../terminal/table.js'
import { addForwardingCommands } from './forwarding-commands.js'
import { addQueryCommands } from './query-commands.js'
import { addUpkeepCommands } from './upkeep-commands.js'

export interface ProgramOptions {
  readonly context: ProcessContext
  readonly runs: Runs
  /** Returns the settings part of the help of `serve`. */
  readonly settingsHelp: (width: number) => string
}

/** Builds the command line. It needs only the process context, because it is built for every command, even for `--version`. */
function createProgram ({ context, runs, settingsHelp }: ProgramOptions): Command {
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
      'tierhook init                                             # a first configuration, and what to enter at Voucherify',
      'tierhook                                                  # serve, configured by .env',
      'tierhook send customer.loyalty.tier.upgraded              # in another terminal',
      'tierhook check --connect                                  # what would run, and whether it can be reached',
      'tierhook status                                           # how it is, and what needs you',
      'tierhook events                                           # what can be received',
      'tierhook tail                                             # what comes in',
      'tierhook forwarders                                       # how far each forwarder has come',
      'tierhook help serve                                       # every setting'
    ))

  program.command('serve')
    .description('run the service until SIGTERM, SIGINT or SIGHUP (default)')
    .option(...environmentFile)
    .addHelpText('after', () => `\nSettings, from the environment or the file:\n${settingsHelp(width)}\n${examples(
      'tierhook serve',
      'PORT=8080 FORWARDERS=log,file tierhook serve',
      'tierhook serve --env-file /etc/tierhook.env'
    )}`)
    .action(runs(async () => (await import('./serve.js')).serve))

  program.command('init')
    .description('ask for what a first configuration needs, write it into a new file, and show the URLs to enter at Voucherify')
    .option('--public-url <url>', 'the address under which Voucherify will reach the service')
    .option('--secret-file <file>', 'file with the secret key from Voucherify on its one line; - reads standard input')
    .option('--forwarders <list>', 'where events go: log, file, http, with commas between them')
    .option('--http-url <url>', 'where the http forwarder posts to')
    .option('--port <number>', 'the port that webhooks are taken at', wholeNumber(1, 65_535))
    // Not named --env-file: Node.js takes that option for itself wherever it stands, and does not start if the file does not exist yet.
    .option('--out <path>', 'the file to write; one that is there already is never replaced', '.env')
    .option('--yes', 'ask nothing: what is not given is left at its default')
    .addHelpText('after', examples('tierhook init', 'tierhook init --yes --public-url https://hooks.example.com --secret-file key --forwarders log,file'))
    .action(runs(async () => (await import('./init.js')).init))

  program.command('check')
    .description('validate the configuration and show what would run, without secrets; exits 2 with every fault')
    .option('--connect', 'try whether each destination can be reached; exits 1 if one cannot')
    .option('--voucherify', 'ask Voucherify once whether the webhook is well there (VOUCHERIFY_MANAGEMENT_ID); exits 1 if something is wrong')
    .option('--timeout-ms <milliseconds>', 'how long to try each', wholeNumber(1, 600_000), 10_000)
    .option('--json', 'show one JSON object instead')
    .option(...environmentFile)
    .addHelpText('after', examples('tierhook check', 'FORWARDERS_FILE=forwarders.json tierhook check --connect', 'tierhook check --voucherify', 'tierhook check --json | jq .forwarders'))
    .action(runs(async () => (await import('./check.js')).check))

  addSendCommand(program, runs)

  program.command('events')
    .description('list the events that have a schema')
    .option('--json', 'show a JSON array instead')
    .addHelpText('after', examples('tierhook events', 'tierhook events --json | jq -r \'.[].url\''))
    .action(runs(async () => (await import('./events.js')).events))

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
    .action(runs(async () => (await import('./schema.js')).schema))

  program.command('openapi')
    .description('print the OpenAPI 3.1 description of both listeners')
    .addHelpText('after', examples('tierhook openapi > openapi.json', 'tierhook openapi | jq \'.paths | keys\''))
    .action(runs(async () => (await import('./schema.js')).openapi))

  program.command('health')
    .description('ask the service on this machine whether it is alive; exits 0 if it is')
    .option(...environmentFile)
    .addHelpText('after', examples('tierhook health', 'PORT=8080 tierhook health'))
    .action(runs(async () => (await import('./health.js')).health))

  program.command('completion')
    .description('print a script that completes the command line in a shell')
    .addArgument(new Argument('<shell>', 'which shell it is for').choices(completionShells))
    .addHelpText('after', examples(
      'eval "$(tierhook completion bash)"                        # in ~/.bashrc',
      'source <(tierhook completion zsh)                         # in ~/.zshrc, below compinit',
      'tierhook completion fish > ~/.config/fish/completions/tierhook.fish'
    ))
    .action((shell: CompletionShell) => { context.stdout.write(completionScript(program, shell)) })

  // Options after a subcommand's name belong to the subcommand, even if its parent has an option of the same name.
  program.enablePositionalOptions()
  addQueryCommands(program, runs)
  addForwardingCommands(program, runs)
  addUpkeepCommands(program, runs)
  return program
}

function withDefaultCommand (args: readonly string[]): readonly string[] {
  const [first, second] = args
  // Commander would take these for an unknown command.
  if (first === 'help' && ['-h', '--help', 'help'].includes(second ?? '')) return ['--help']
  // Commander's own default command would take a mistyped command as its argument, and would not suggest the nearest command.
  return first === undefined || (first.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(first)) ? ['serve', ...args] : args
}

/** Loads the settings help only for `serve`, because the schemas take longer to load than all other help. */
async function loadSettingsHelp (args: readonly string[]): Promise<ProgramOptions['settingsHelp']> {
  return args.includes('serve') ? (await import('../config/describe-settings.js')).describeSettings : () => ''
}

/**
 * Runs the command line, whose `args` exclude the program's name. Resolves with the exit code, and does not reject for a user's mistake. `load`
 * provides the context of a command.
 */
export async function runProgram (context: ProcessContext, args: readonly string[], load: () => Promise<CommandContext>): Promise<number> {
  let exitCode: number = exitCodes.ok
  const all = withDefaultCommand(args)
  const [first, second] = all
  const program = createProgram({
    context,
    runs: (loadCommand) => async (...args) => {
      const [context, command] = [await load(), await loadCommand()]
      exitCode = await command(context, ...args)
    },
    settingsHelp: await loadSettingsHelp(all)
  })
  try {
    // For `help` with an unknown command, Commander would show the general help without an error.
    const isUnknown = first === 'help' && second !== undefined && !program.commands.some((command) => command.name() === second)
    await program.parseAsync(isUnknown ? [second] : [...all], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (error instanceof ConfigurationError || error instanceof UsageError) {
      context.stderr.write(`tierhook: ${printableText(error.message)}\n`)
      return exitCodes.usage
    }
    throw error
  }
}
