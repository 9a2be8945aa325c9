import type { DeliveryDetails, ForwarderStatus, RecordedTry } from '../delivery/listing.js'
import { canonicalBytes } from '../voucherify/canonical-bytes.js'
import { parseBody } from '../voucherify/parse-body.js'
import { isDeeperThan, READABLE_LEVELS, wellFormedJson } from '../voucherify/readable-json.js'
import type { CommandContext } from './context.js'
import { listedJson } from './describe-listed.js'
import { exitCodes, UsageError } from './command-line.js'
import { findDelivery } from './find-delivery.js'
import { indentJson } from '../page/indent-json.js'
import { printable, printableText } from '../terminal/printable.js'
import { withStore, type StoreOptions } from './store.js'
import { formatTable } from '../terminal/table.js'
import { formatSpan } from '../terminal/times.js'

export interface ShowOptions extends StoreOptions {
  readonly raw?: boolean | undefined
  readonly json?: boolean | undefined
}

/**
 * Shows one delivery in full. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function show (context: CommandContext, idText: string, options: ShowOptions): Promise<number> {
  if (options.raw === true && options.json === true) throw new UsageError('--raw and --json exclude each other: leave one of them out')
  return await withStore(context, options, async ({ operator }) => {
    const { sequence, id } = await findDelivery(operator, idText)
    const delivery = await operator.read(sequence)
    if (delivery === undefined) throw new UsageError(`The delivery ${id} has just been removed by retention`)
    if (options.raw === true) return writeRaw(context, delivery)
    context.stdout.write(options.json === true ? `${printable(toJson(delivery))}\n` : `${describe(delivery, Date.now())}\n`)
    return exitCodes.ok
  })
}

function writeRaw (context: CommandContext, { id, rawBody, damaged }: DeliveryDetails): number {
  if (damaged) context.stderr.write(`tierhook: the record of ${id} is damaged: these may not be the bytes that were received\n`)
  if (rawBody !== undefined) context.stdout.write(rawBody)
  return damaged ? exitCodes.failure : exitCodes.ok
}

/**
 * Inserts the body's own text, so that numbers keep all digits. A body that is not JSON, or is nested more deeply than many JSON readers allow,
 * is inserted as base64.
 */
function toJson ({ headers, rawBody, damaged, attempts, ...listed }: DeliveryDetails): string {
  const head = JSON.stringify({
    ...listedJson(listed),
    damaged,
    headers,
    attempts: attempts.map(({ startedAt, ...attempt }) => ({ ...attempt, startedAt: new Date(startedAt).toISOString() }))
  })
  const text = rawBody === undefined || isDeeperThan(READABLE_LEVELS, rawBody) ? undefined : jsonText(rawBody)
  const body = text === undefined
    ? `"bodyBase64":${rawBody === undefined ? 'null' : JSON.stringify(Buffer.from(rawBody).toString('base64'))}`
    : `"body":${Buffer.from(canonicalBytes(Buffer.from(text))).toString()}`
  return wellFormedJson(`${head.slice(0, -1)},${body}}`)
}

function jsonText (rawBody: Uint8Array | undefined): string | undefined {
  if (rawBody === undefined || !parseBody(rawBody).ok) return undefined
  return Buffer.from(rawBody).toString('utf8').replace(/^\uFEFF/, '')
}

function describe (delivery: DeliveryDetails, now: number): string {
  const { headers, forwarders, attempts } = delivery
  return [
    ...delivery.damaged ? ['DAMAGED: the record differs from what was written. What follows may be wrong.', ''] : [],
    formatTable(fields(delivery, now)),
    ...delivery.faults.length > 0 ? ['', 'Faults', indented(delivery.faults.map(({ pointer, message }) => [pointer === '' ? '(the whole body)' : pointer, message]))] : [],
    ...Object.keys(headers).length > 0 ? ['', 'Headers', indented(Object.entries(headers).map(([name, value]) => [name, value]))] : [],
    ...forwarders.length > 0 ? ['', 'Forwarders', indented(forwarders.map(status => [status.forwarder, statusSentence(status, now)]))] : [],
    ...attempts.length > 0 ? ['', 'Attempts', indented([['STARTED', 'FORWARDER', 'ATTEMPT', 'OUTCOME', 'TOOK', 'DETAIL'], ...attempts.map(attemptRow)])] : [],
    '',
    `Body, ${delivery.bodyBytes.toLocaleString('en-GB')} bytes`,
    bodyText(delivery.rawBody)
  ].join('\n')
}

function fields (delivery: DeliveryDetails, now: number): Array<readonly [string, string]> {
  const { sourceObject, sourceId, duplicates } = delivery
  const source = [sourceObject, sourceId].filter(part => part !== null).join(' ')
  return ([
    ['Delivery', delivery.id],
    ['Received', `${new Date(delivery.receivedAt).toISOString()} (${formatSpan(now - delivery.receivedAt)} ago)`],
    ['Event type', delivery.eventType],
    ['Verdict', delivery.verdict],
    ['State', { accepted: '', quarantined: 'in quarantine: "tierhook quarantine release" lets it out', released: 'released from quarantine', damaged: 'set aside, because its record is damaged', erased: 'erased for a person: nothing of the event is left' }[delivery.state]],
    ['Source', source],
    ['Event', delivery.eventId ?? ''],
    ['Project', delivery.projectId ?? ''],
    ['Customer', delivery.customerId ?? ''],
    ['Campaign', delivery.campaignId ?? ''],
    ['Duplicates', duplicates === 0 ? '' : `${duplicates} more came and were recognised`]
  ] as const).filter(([, value]) => value !== '')
}

function indented (rows: ReadonlyArray<readonly string[]>): string {
  return formatTable(rows).replaceAll(/^/gm, '  ')
}

function statusSentence (status: ForwarderStatus, now: number): string {
  const reason = status.reason === undefined ? '' : `: ${status.reason}`
  switch (status.status) {
    case 'retrying': {
      const inMs = (status.dueAt ?? now) - now
      const due = inMs > 0 ? `due at ${new Date(now + inMs).toISOString()}, in ${formatSpan(inMs)}` : 'due now'
      return `retrying${status.replay === true ? ' as a replay' : ''}, attempt ${status.attempt ?? 1} ${due}${reason}`
    }
    case 'dead':
      return `dead since ${new Date(status.diedAt ?? now).toISOString()} after attempt ${status.attempt ?? 1}${reason}`
    case 'skipped':
      return 'skipped: its filter passed it over'
    case 'before-start':
      return 'not for it: the forwarder was added later'
    default:
      return status.status
  }
}

function attemptRow ({ startedAt, forwarder, replay, attempt, outcome, durationMs, detail }: RecordedTry): readonly string[] {
  return [new Date(startedAt).toISOString(), forwarder, `${attempt}${replay ? ' (replay)' : ''}`, outcome, `${durationMs.toFixed(1)} ms`, detail ?? '']
}

function bodyText (rawBody: Uint8Array | undefined): string {
  if (rawBody === undefined) return '(it cannot be read)'
  const text = jsonText(rawBody)
  return text === undefined ? printableText(Buffer.from(rawBody).toString('utf8')) : indentJson(text).split('\n').map(printable).join('\n')
}
