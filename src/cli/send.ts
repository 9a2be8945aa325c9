import { randomUUID } from 'node:crypto'
import { loadClientSettings } from '../config/load-settings.js'
import { sign } from '../voucherify/signature.js'
import { formatAnswer } from './answer.js'
import type { Answer } from './answer.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { knownEvent } from './known-event.js'
import { postWebhooks, UnreachableError } from './post-webhooks.js'
import { startProgressBar } from './progress-bar.js'
import { readEnvFile } from './read-env-file.js'
import { sampleBody } from './sample-body.js'
import { sendTarget } from './send-target.js'
import { formatSummary, SendTally } from './send-summary.js'
import { serviceUrl } from './service-url.js'

export interface SendOptions {
  readonly url?: string | undefined
  readonly secret?: string | undefined
  readonly raw?: boolean | undefined
  readonly invalid?: boolean | undefined
  readonly json?: boolean | undefined
  readonly count: number
  readonly concurrency: number
  readonly timeoutMs: number
  readonly envFile?: string | undefined
}

/** Up to so many answers are shown one by one. */
const shownAnswers = 20

/**
 * Sends sample events and shows what came back; resolves with the exit code. The secret and the service's address come
 * from the configuration unless the options say otherwise.
 * @throws ConfigurationError, UsageError
 */
export async function send (context: CommandContext, name: string, options: SendOptions): Promise<number> {
  const eventType = knownEvent(name)
  const envFile = await readEnvFile({ directory: context.directory, path: options.envFile })
  const settings = loadClientSettings({ environment: context.environment, ...envFile === undefined ? {} : { envFile } })
  const raw = options.raw === true
  const url = sendTarget({ eventType, raw, url: options.url, serviceUrl: serviceUrl(settings.HOST, settings.PORT) })
  const secret = options.secret ?? settings.VOUCHERIFY_WEBHOOK_SECRETS[0]
  const { count, concurrency, timeoutMs } = options

  // Ids are drawn from the seed: another one each run, or the second run would be all duplicates.
  const seed = randomUUID()
  const tally = new SendTally(count)
  const answers: Answer[] = []
  const bar = count > shownAnswers ? startProgressBar(context.stderr, count) : undefined
  const begun = performance.now()
  try {
    await postWebhooks({
      url,
      count,
      concurrency,
      timeoutMs,
      makeWebhook: index => {
        const body = sampleBody({ eventType, raw, invalid: options.invalid === true, index, seed, targetUrl: url.href, now: new Date() })
        return { body, headers: secret === undefined || secret === '' ? {} : { 'x-voucherify-signature': sign(body, secret) } }
      },
      onAnswer: answer => {
        tally.add(answer)
        bar?.update(tally.sent)
        if (count > shownAnswers) return
        answers.push(answer)
        if (options.json !== true) context.stdout.write(`${formatAnswer(answer)}\n`)
      }
    })
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    context.stderr.write(`tierhook: ${error.message}: start it with npm start, or name another address with --url\n`)
    return exitCodes.failure
  } finally {
    bar?.stop()
  }
  const summary = tally.summarise(performance.now() - begun)
  if (options.json === true) {
    context.stdout.write(`${JSON.stringify({ url: url.href, eventType, ...summary, ...answers.length > 0 ? { answers } : {} })}\n`)
  } else if (count > shownAnswers) {
    context.stdout.write(`${formatSummary(summary)}\n`)
  }
  // A refusal for want of a signature is what a first try runs into most.
  if (secret === undefined && answers.some(answer => answer.status === 401) && options.json !== true) {
    context.stderr.write('The events were not signed: give --secret, or set VOUCHERIFY_WEBHOOK_SECRETS\n')
  }
  return summary.succeeded === summary.sent ? exitCodes.ok : exitCodes.failure
}
