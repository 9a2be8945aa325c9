import type { Colour, Paint } from './output.js'
import { printable } from './printable.js'
import { formatTiers, shortId, shortSenderId } from './short.js'
import { formatSpan } from './times.js'

type Line = Readonly<Record<string, unknown>>

const ERROR = 50
const WARN = 40

/** Messages that repeat the event's own line, or the banner at the start. */
const SAID_ALREADY = /^(?:webhook (?:accepted|invalid|quarantined)|listening|operator's listener listening|(?:operator's )?http server listens at .*)$/
/** Fields that every line has, that the line shows elsewhere, or that tell a person nothing. */
const LEFT_OUT = new Set(['level', 'time', 'msg', 'reqId', 'err', 'deliveryId', 'replay'])

/**
 * Formats a log line for a person at a terminal; `undefined` for a line that repeats another one. If events are shown, each event has one line,
 * with its tiers. Then the line of the `log` forwarder is left out, unless it carries the event's data.
 */
export function formatLogLine (json: string, { paint, eventsTold }: { readonly paint: Paint, readonly eventsTold: boolean }): string | undefined {
  const line = parse(json)
  if (line === undefined) return printable(json)
  const message = textOf(line['msg'])
  const level = typeof line['level'] === 'number' ? line['level'] : 0
  if (isEvent(line)) return formatEvent(line, paint)
  if (isForwardedToLog(line)) return logForwarderLine(line, { paint, eventsTold })
  if (eventsTold && SAID_ALREADY.test(message)) return undefined
  const [mark, colour, text] = described(line, message, level)
  return `${head(line, mark, colour, paint)}${[
    level >= ERROR ? paint('red', text) : text, ...idOf(line, paint)
  ].filter((part) => part !== '').join('  ')}${stackOf(line, paint)}`
}

function parse (json: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    // Not JSON, or nested too deeply for the stack. The line is shown as it is.
    return undefined
  }
}

/** Whether the line has the fields of `eventFields`. */
function isEvent (line: Line): boolean {
  return typeof line['outcome'] === 'string' && typeof line['eventType'] === 'string'
}

function isForwardedToLog (line: Line): boolean {
  return typeof line['duplicates'] === 'number' && line['msg'] === line['eventType']
}

/** Formats an event as one line: time, mark, type, tiers, notes, customer, delivery id. */
export function formatEvent (line: Line, paint: Paint): string {
  const faults = Array.isArray(line['faults']) ? line['faults'] : []
  const quarantined = line['quarantined'] === true
  const notes = [
    line['outcome'] === 'duplicate' ? 'duplicate' : '',
    quarantined ? 'quarantined' : line['verdict'] === 'valid' ? '' : textOf(line['verdict']),
    faults.map((fault: unknown) => typeof fault === 'object' && fault !== null && 'pointer' in fault && 'message' in fault ? `${String(fault.pointer)} ${String(fault.message)}` : '').join('; ')
  ].filter((note) => note !== '').map(printable).join(': ')
  const [mark, colour] = line['outcome'] === 'duplicate' ? ['=', 'dim'] as const : quarantined || line['verdict'] === 'invalid' ? ['!', 'yellow'] as const : ['✓', 'green'] as const
  return `${head(line, mark, colour, paint)}${eventParts(line, paint, notes === '' ? [] : [paint(colour, notes)]).join('  ')}`
}

function logForwarderLine (line: Line, { paint, eventsTold }: { readonly paint: Paint, readonly eventsTold: boolean }): string | undefined {
  const data = line['data'] === undefined ? '' : `\n         ${paint('dim', printable(JSON.stringify(line['data'])))}`
  if (line['replay'] === true) return `${head(line, '↻', 'cyan', paint)}${eventParts(line, paint, ['replay']).join('  ')}${data}`
  return data === '' && eventsTold ? undefined : `${head(line, '·', 'dim', paint)}${eventParts(line, paint, []).join('  ')}${data}`
}

function eventParts (line: Line, paint: Paint, notes: readonly string[]): readonly string[] {
  const customer = textOf(line['customerId'])
  return [printable(textOf(line['eventType'])), printable(formatTiers(line)), ...notes, printable(shortSenderId(customer)), ...idOf(line, paint)].filter((part) => part !== '')
}

/** Returns the text of a line, its mark, and the mark's colour. */
function described (line: Line, message: string, level: number): readonly [mark: string, colour: Colour, text: string] {
  const forwarder = printable(textOf(line['forwarder']))
  const reason = printable(textOf(line['reason']))
  switch (message) {
    case 'delivery forwarded': return ['→', 'green', `${forwarder}  ${String(line['ms'])} ms`]
    case 'delivery to be retried': return ['↻', 'yellow', `${forwarder}  again in ${formatSpan(Number(line['retryInMs']))}: ${reason}`]
    case 'configuration warning': return ['!', 'yellow', `${printable(textOf(line['variable']))} ${reason}`]
  }
  const [mark, colour] = level >= ERROR ? ['✗', 'red'] as const : level >= WARN ? ['!', 'yellow'] as const : ['·', 'dim'] as const
  const fields = Object.entries(line).filter(([name]) => !LEFT_OUT.has(name)).map(([name, value]) => `${printable(name)}=${shown(value)}`)
  return [mark, colour, [printable(message), ...fields, errorOf(line)].filter((part) => part !== '').join('  ')]
}

function head (line: Line, mark: string, colour: Colour, paint: Paint): string {
  return `${paint('dim', clock(line['time']))} ${paint(colour, mark)} `
}

/** Formats a time of day in the local time zone. */
function clock (time: unknown): string {
  const date = new Date(typeof time === 'string' || typeof time === 'number' ? time : NaN)
  return Number.isNaN(date.getTime()) ? '--:--:--' : [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

function idOf (line: Line, paint: Paint): readonly string[] {
  const id = textOf(line['deliveryId'])
  return id === '' ? [] : [paint('dim', printable(shortId(id)))]
}

function errorOf (line: Line): string {
  const error: unknown = line['err']
  return typeof error === 'object' && error !== null && 'message' in error ? printable(String(error.message)) : ''
}

/** Formats the stack. Only a stack may have line breaks: elsewhere, a line break could forge a log line. */
function stackOf (line: Line, paint: Paint): string {
  const error: unknown = line['err']
  if (typeof error !== 'object' || error === null || !('stack' in error) || typeof error.stack !== 'string') return ''
  // The first line is the message, which is shown already.
  return error.stack.split('\n').filter((each) => /^ {4}at /.test(each)).map((each) => `\n     ${paint('dim', printable(each))}`).join('')
}

function shown (value: unknown): string {
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value))
  return typeof value === 'string' && (text === '' || /[\s"]/.test(text)) ? JSON.stringify(text) : text
}

function textOf (value: unknown): string {
  return typeof value === 'string' ? value : ''
}
