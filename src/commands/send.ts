import { randomBytes } from 'node:crypto'
import { loadClientSettings, loadOwnToken } from '../config/load-settings.js'
import { Acknowledged } from '../simulator/acknowledged.js'
import type { Answer } from '../simulator/answer.js'
import { systemClock } from '../simulator/clock.js'
import { type Downstream, DownstreamError } from '../simulator/downstream.js'
import { eventIds } from '../simulator/event-ids.js'
import { isUnreachable, openPoster } from '../simulator/post.js'
import { isPerfect } from '../simulator/report.js'
import { run } from '../simulator/run.js'
import { Tally } from '../simulator/tally.js'
import { type Verification, verify } from '../simulator/verify.js'
import { jsonLine, printable, printableText } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { exitCodes } from './command-line.js'
import type { CommandContext } from './context.js'
import { isUrl, openDownstream } from './open-downstream.js'
import { settingsSource } from './read-env-file.js'
import { readSecret } from './read-secret.js'
import { formatReportCard } from './report-card.js'
import { planSend, type SendPlan } from './send-plan.js'
import { type MadeGenerator, makeGenerator } from './payload-generator.js'
import type { Headers } from './send-values.js'
import { serviceUrl } from '../config/addresses.js'
import { type Steps, stopInSteps } from './stop-in-steps.js'

export interface SendOptions {
  readonly all?: true | undefined
  readonly opaque?: true | undefined
  readonly source?: 'webhook' | 'distribution' | undefined
  readonly raw?: true | undefined
  readonly invalid?: true | undefined
  readonly body?: string | undefined
  readonly bodyAsIs?: true | undefined
  readonly url?: string | undefined
  readonly secret?: string | undefined
  readonly secretFile?: string | undefined
  readonly wrongSecret?: true | undefined
  readonly unsigned?: true | undefined
  readonly header?: Headers | undefined
  readonly count?: number | undefined
  readonly rate?: number | undefined
  readonly seconds?: number | undefined
  readonly concurrency?: number | undefined
  readonly timeoutMs: number
  readonly retries?: number | undefined
  readonly clock?: number | undefined
  readonly compressTimeout?: true | undefined
  readonly duplicates?: number | undefined
  readonly overlaps?: number | undefined
  readonly verify?: string | undefined
  readonly verifyWithin?: number | undefined
  readonly verifyToken?: string | undefined
  readonly verifyTokenFile?: string | undefined
  readonly json?: true | undefined
  readonly envFile?: string | undefined
}

const verifyWithinMs = 30_000

/**
 * Sends events as Voucherify does and reports the result; resolves with the exit code. The secret and the service's address come from the
 * configuration unless options override them.
 * @throws ConfigurationError, UsageError
 */
export async function send (context: CommandContext, names: readonly string[], options: SendOptions): Promise<number> {
  const plan = planSend(names, options)
  const source = await settingsSource(context, options)
  const settings = loadClientSettings(source)
  const secret = options.secretFile === undefined ? options.secret : await readSecret(context, '--secret-file', options.secretFile)
  const token = options.verifyTokenFile === undefined ? options.verifyToken : await readSecret(context, '--verify-token-file', options.verifyTokenFile)
  const runName = randomBytes(6).toString('hex')
  const payloads = await makeGenerator(options, {
    types: plan.types,
    ids: eventIds(runName),
    seed: runName,
    directory: context.directory,
    secret: secret ?? settings.VOUCHERIFY_WEBHOOK_SECRETS[0],
    serviceUrl: serviceUrl(settings.HOST, settings.PORT)
  })
  const downstream = openDownstream(options.verify, {
    directory: context.directory,
    token,
    ownToken: { token: loadOwnToken(source), host: settings.ADMIN_HOST }
  })
  try {
    await downstream?.begin()
    return await stopInSteps(context, async steps => await sendAndReport(context, { plan, options, payloads, downstream, steps }))
  } catch (error) {
    if (!(error instanceof DownstreamError)) throw error
    context.stderr.write(`tierhook: ${printableText(error.message)}\n`)
    return exitCodes.failure
  } finally {
    await downstream?.close()
  }
}

interface Sending {
  readonly plan: SendPlan
  readonly options: SendOptions
  readonly payloads: MadeGenerator
  readonly downstream: Downstream | undefined
  readonly steps: Steps
}

async function sendAndReport (context: CommandContext, { plan, options, payloads, downstream, steps }: Sending): Promise<number> {
  const tally = new Tally(plan.pace)
  const acknowledged = new Acknowledged({ ...payloads.ids, keepReceiverIds: options.verify !== undefined && isUrl(options.verify) })
  const answers: Answer[] = []
  const unreachable = new AbortController()
  const poster = openPoster({ origin: payloads.url.origin, connections: plan.limit, limitMs: plan.limitMs, clock: systemClock })
  const bar = plan.answerByAnswer ? undefined : startBar(context, plan)
  const begunAt = performance.now()
  let answered = false
  const signal = AbortSignal.any([steps.first, unreachable.signal])
  const giveUp = (): void => { poster.close().catch(() => undefined) }
  signal.addEventListener('abort', giveUp)
  try {
    await run({
      ...plan,
      generator: payloads.generator,
      post: poster.post,
      clock: systemClock,
      tally,
      signal,
      onAnswer: answer => {
        // Without retries, stop if the first request found nothing listening.
        if (!answered && plan.retries === 0 && isUnreachable(answer)) unreachable.abort()
        answered = true
        bar?.update(tally.settled, performance.now() - begunAt)
        if (!plan.answerByAnswer || unreachable.signal.aborted) return
        answers.push(answer)
        if (options.json !== true) context.stdout.write(`${formatAnswer(answer)}\n`)
      },
      ...downstream === undefined ? {} : { onAccepted: (index, answer) => { acknowledged.add(index, answer) } }
    })
  } finally {
    signal.removeEventListener('abort', giveUp)
    bar?.stop()
    await poster.close()
  }
  if (unreachable.signal.aborted) {
    context.stderr.write(`tierhook: nothing listens at ${payloads.url.origin}: start it with npm start, or name another address with --url\n`)
    return exitCodes.failure
  }
  const report = tally.report({ elapsedMs: performance.now() - begunAt, stopped: steps.first.aborted })
  const verification = downstream === undefined ? undefined : await lookDownstream(context, { downstream, acknowledged, options, signal: steps.second })
  const perfect = isPerfect(report, verification)
  if (options.json === true) {
    context.stdout.write(jsonLine({ url: payloads.url.href, eventTypes: plan.types, perfect, ...report, verification: verification ?? null, ...answers.length > 0 ? { shown: answers } : {} }))
  } else if (!plan.answerByAnswer || report.stopped) {
    context.stdout.write(`${formatReportCard({ url: payloads.url.href, report, perfect, ...verification === undefined ? {} : { verification } })}\n`)
  }
  // A missing signature is the most common refusal of a first try.
  if (!payloads.signed && options.unsigned !== true && Object.keys(report.answers).some(key => key.startsWith('401'))) {
    context.stderr.write('The events were not signed: give --secret-file, or set VOUCHERIFY_WEBHOOK_SECRETS\n')
  }
  return perfect ? steps.exitCode() : exitCodes.failure
}

async function lookDownstream (context: CommandContext, { downstream, acknowledged, options, signal }: {
  readonly downstream: Downstream
  readonly acknowledged: Acknowledged
  readonly options: SendOptions
  readonly signal: AbortSignal
}): Promise<Verification> {
  const bar = startProgressBar(context, acknowledged.ledger.counts().acknowledged, 'found downstream')
  try {
    return await verify({ downstream, acknowledged, withinMs: options.verifyWithin ?? verifyWithinMs, clock: systemClock, signal, onLook: found => { bar.update(found) } })
  } finally {
    bar.stop()
  }
}

/** Starts a progress bar that counts events, or seconds if only time ends the run. */
function startBar (context: CommandContext, { pace }: SendPlan): { readonly update: (settled: number, elapsedMs: number) => void, readonly stop: () => void } {
  if ('events' in pace) {
    const bar = startProgressBar(context, pace.events, 'events')
    return { update: settled => { bar.update(settled) }, stop: bar.stop }
  }
  const bar = startProgressBar(context, Math.ceil(pace.forMs / 1000), 'seconds')
  return { update: (_settled, elapsedMs) => { bar.update(Math.floor(Math.min(elapsedMs, pace.forMs) / 1000)) }, stop: bar.stop }
}

/** Formats an answer as one line, such as `202 Webhook accepted 0199… valid 3.1 ms`, plus a line per fault. */
export function formatAnswer (answer: Answer): string {
  const message = answer.duplicate === true ? `${answer.message} (stored already)` : answer.message
  const line = [`${answer.status} ${message}`, answer.id, answer.verdict, `${answer.durationMs.toFixed(1)} ms`]
    .filter(part => part !== undefined)
    .join('  ')
  return [line, ...answer.faults ?? []].map(printable).join('\n    ')
}
