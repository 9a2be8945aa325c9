import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError } from '../config/configuration-error.js'
import { loadSettings } from '../config/load-settings.js'
import { errorCode } from '../errors/system-code.js'
import { printable } from '../terminal/printable.js'
import { formatTable } from '../terminal/table.js'
import { tierEvents } from '../voucherify/catalogue.js'
import { exitCodes, UsageError } from './command-line.js'
import type { CommandContext } from './context.js'
import { readSecret } from './read-secret.js'

export interface InitOptions {
  readonly publicUrl?: string | undefined
  readonly secretFile?: string | undefined
  readonly forwarders?: string | undefined
  readonly httpUrl?: string | undefined
  readonly port?: number | undefined
  readonly out: string
  /** Ask no questions, and leave missing values at their defaults. */
  readonly yes?: boolean | undefined
}

/** Values for the file, in its order. An empty value is left at its default. */
type Answers = Readonly<Record<'PORT' | 'PUBLIC_URL' | 'VOUCHERIFY_WEBHOOK_SECRETS' | 'FORWARDERS' | 'HTTP_FORWARDER_URL', string>>

const meanings: Answers = {
  PORT: 'The TCP port that webhooks are taken at, on this machine. Your TLS proxy or tunnel goes before it.',
  PUBLIC_URL: 'The address at which Voucherify reaches this service: the part before /webhooks.',
  VOUCHERIFY_WEBHOOK_SECRETS: 'The secret key from Voucherify, Project settings, Webhooks. Comma-separated, with the new one, during a rotation.',
  FORWARDERS: 'Where accepted events go: a comma-separated list of log, file and http.',
  HTTP_FORWARDER_URL: 'Where the http forwarder posts to.'
}

/** Only the owner may read the file, because it contains a secret. */
const MODE = 0o600

/**
 * Asks for a first configuration, writes it into a new file, and says what to enter at Voucherify. Resolves with the exit code.
 * @throws UsageError, ConfigurationError if an option is invalid
 */
export async function init (context: CommandContext, options: InitOptions): Promise<number> {
  const path = resolve(context.directory, options.out)
  const given: Answers = {
    PORT: options.port === undefined ? '' : String(options.port),
    PUBLIC_URL: options.publicUrl ?? '',
    VOUCHERIFY_WEBHOOK_SECRETS: options.secretFile === undefined ? '' : await readSecret(context, '--secret-file', options.secretFile),
    FORWARDERS: options.forwarders ?? '',
    HTTP_FORWARDER_URL: options.httpUrl ?? ''
  }
  // Check the given options before asking any question.
  check(given, options.yes !== true)
  const answers = options.yes === true ? given : await askFor(context, given)
  const text = fileOf(answers)
  try {
    writeNew(path, text)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw new UsageError(`${path} cannot be written (${errorCode(error)})`)
    context.stderr.write(`tierhook: ${printable(path)} is there already, and is left as it is: name another one with --out, or change that one by hand\n`)
    return exitCodes.failure
  }
  context.stdout.write(nextSteps(path, answers, path === resolve(context.directory, '.env') ? '' : ` --env-file ${options.out}`))
  return exitCodes.ok
}

/** Never replaces a file and never follows a symbolic link. Removes a half-written file, because it would be read as a complete configuration. */
function writeNew (path: string, text: string): void {
  const file = openSync(path, 'wx', MODE)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

/** @throws ConfigurationError */
function check (answers: Answers, unfinished: boolean): void {
  try {
    loadSettings({ environment: answers })
  } catch (error) {
    // Ignore faults of settings that are still to be asked for.
    const faults = error instanceof ConfigurationError ? error.faults.filter(({ variable }) => !unfinished || answers[variable as keyof Answers] !== '') : []
    if (!(error instanceof ConfigurationError)) throw error
    if (faults.length > 0) throw new ConfigurationError(faults)
  }
}

async function askFor (context: CommandContext, given: Answers): Promise<Answers> {
  let answers = given
  const ask = async (name: keyof Answers, question: string): Promise<void> => {
    for (;;) {
      if (answers[name] !== '') return
      const answer = await context.ask(`${question}\n> `)
      if (answer === undefined) throw new UsageError('there is no terminal to ask at: give --yes, and give the values as options')
      const tried = { ...answers, [name]: answer.trim() }
      try {
        check(tried, true)
        answers = tried
        return
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        context.stderr.write(`${printable(error.faults.map(({ message }) => `It ${message}`).join('. '))}\n`)
      }
    }
  }
  await ask('PUBLIC_URL', 'Under which address will Voucherify reach this service, such as https://hooks.example.com? Empty where you do not know yet.')
  await ask('VOUCHERIFY_WEBHOOK_SECRETS', 'Which secret key does Voucherify show in Project settings, Webhooks? Empty takes webhooks unsigned, for a first try.')
  await ask('FORWARDERS', 'Where shall events go: log, file, http, or several with commas between them? Empty is log.')
  while (answers.FORWARDERS.split(',').some((each) => each.trim() === 'http') && answers.HTTP_FORWARDER_URL === '') {
    await ask('HTTP_FORWARDER_URL', 'To which URL shall the http forwarder post?')
  }
  return answers
}

function fileOf (answers: Answers): string {
  const set = Object.entries(answers).filter(([, value]) => value !== '')
  return `# Made by "tierhook init". Every other setting, with its default: tierhook serve --help\n${set.map(([name, value]) => `\n# ${meanings[name as keyof Answers]}\n${name}=${quoted(value)}\n`).join('')}`
}

/** Quotes a value for the file if it contains characters that could start a comment. */
function quoted (value: string): string {
  if (/^[\w.,:/@%+=&?~-]*$/.test(value)) return value
  const mark = ['\'', '"', '`'].find((each) => !value.includes(each))
  if (mark === undefined) throw new UsageError('a value contains all of the quotation marks \' " and `, which the file cannot hold: set it in the environment instead')
  return `${mark}${value}${mark}`
}

function nextSteps (path: string, { PUBLIC_URL: publicUrl, VOUCHERIFY_WEBHOOK_SECRETS: secrets }: Answers, file: string): string {
  const base = (publicUrl === '' ? 'https://<your host>' : publicUrl).replace(/\/+$/, '')
  const rows = tierEvents.map(({ type, kind }) => ({ kind, row: [`  ${type}`, `${base}/webhooks/${type}`] }))
  return `${printable(path)} is written, for its owner alone.

In Voucherify, Project settings, Webhooks, with the version v2024-01-01 (tiers created, updated, deleted):
  ${printable(base)}/webhooks

In Voucherify, Distributions, one with the channel Webhook for each trigger, "Raw payload" unticked:
${formatTable(rows.filter(({ kind }) => kind === 'distribution').map(({ row }) => row))}

Then:
${formatTable([
  [`  npx tierhook check --connect${file}`, 'whether all can be reached'],
  [`  npx tierhook${file === '' ? '' : ` serve${file}`}`, `serve${secrets === '' ? ', unsigned: set VOUCHERIFY_WEBHOOK_SECRETS before others can reach it' : ''}`],
  [`  npx tierhook send customer.loyalty.tier.upgraded${file}`, 'in another terminal: a first event']
])}
`
}
