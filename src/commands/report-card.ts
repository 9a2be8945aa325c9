import type { ProblemSample, Report } from '../simulator/report.js'
import type { Verification } from '../simulator/verify.js'
import { plural, printable } from '../terminal/printable.js'
import { formatSpan } from '../terminal/times.js'

export interface ReportCard {
  readonly url: string
  readonly report: Report
  readonly verification?: Verification
  readonly perfect: boolean
}

const labelWidth = 12

/** Formats a report as lines for a person. */
export function formatReportCard ({ url, report, verification, perfect }: ReportCard): string {
  const lines: ReadonlyArray<readonly [string, string]> = [
    ['to', url],
    ['events', eventsLine(report)],
    ['answers', answersLine(report)],
    ...report.copies.sent === 0 && report.duplicatesRecognised === 0 ? [] : [['duplicates', duplicatesLine(report)] as const],
    ['answered in', latencyLine(report)],
    ['schedule', scheduleLine(report)],
    ['retries', retriesLine(report)],
    ...report.switchedOff.map(({ source, afterMs, lost }) => ['', `${source} switched off after ${ms(afterMs)}: ${events(lost)} lost`] as const),
    ...verification === undefined ? [] : [['downstream', verificationLine(verification)] as const],
    ...verification === undefined ? [] : namedEvents(verification),
    ...report.problems.map((problem, index) => [index === 0 ? 'wrong' : '', problemLine(problem)] as const),
    ['result', result(report, perfect)]
  ]
  return lines.map(([label, text]) => `${label.padEnd(labelWidth)} ${printable(text)}`).join('\n')
}

function eventsLine ({ events: { planned, sent, accepted, failed, lost, unfinished } }: Report): string {
  const counts = [`${number(sent)} sent`, `${number(accepted)} accepted`]
  if (failed > 0) counts.push(`${number(failed)} never accepted`)
  if (lost > 0) counts.push(`${number(lost)} lost`)
  if (unfinished > 0) counts.push(`${number(unfinished)} unfinished`)
  return `${planned === null || planned === sent ? '' : `${number(planned)} planned, `}${counts.join(', ')}`
}

function answersLine ({ requests, answers, timeouts, networkErrors }: Report): string {
  const kinds = Object.entries(answers).sort(([, a], [, b]) => b - a).map(([key, count]) => `${key}: ${number(count)}`)
  return `${plural(requests, 'request')}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}; ${plural(timeouts, 'timeout')}, ${plural(networkErrors, 'network error')}`
}

function duplicatesLine ({ copies, duplicatesRecognised }: Report): string {
  const parts = [`${number(duplicatesRecognised)} recognised`]
  if (copies.sent > 0) parts.unshift(`${plural(copies.sent, 'copy', 'copies')} sent on purpose`)
  if (copies.unmarked > 0) parts.push(`${number(copies.unmarked)} accepted without saying so`)
  if (copies.takenTwice > 0) parts.push(`${number(copies.takenTwice)} TAKEN AS ANOTHER EVENT`)
  if (copies.refused > 0) parts.push(`${number(copies.refused)} refused`)
  return parts.join(', ')
}

function latencyLine ({ latencyMs: { p50, p90, p99, p999, max }, schedule }: Report): string {
  const from = schedule === null ? '' : ', from when each was due'
  return `p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, p99.9 ${ms(p999)}, max ${ms(max)}${from}`
}

function scheduleLine ({ schedule, events: { sent }, elapsedMs }: Report): string {
  const took = `${plural(sent, 'event')} in ${ms(elapsedMs)}`
  if (schedule === null) return `none: ${took}, ${number(Math.round(elapsedMs > 0 ? sent / elapsedMs * 1000 : 0))} a second`
  const { perSecond, kept, lateStarts, latestMs, limitReached } = schedule
  if (kept) return `${perSecond} a second, kept: ${took}, none went out more than ${ms(latestMs)} late`
  const why = limitReached ? 'as many requests as --concurrency allows were under way' : 'this machine did not keep up'
  return `${perSecond} a second, NOT KEPT by this sender: ${took}, ${number(lateStarts)} went out late, by up to ${ms(latestMs)} (${why})`
}

function retriesLine ({ retries: { spent, mostStrikes }, switchedOff }: Report): string {
  return `${number(spent)} spent, most strikes on one event: ${mostStrikes}, ${switchedOff.length === 0 ? 'not switched off' : 'SWITCHED OFF'}`
}

function verificationLine (verification: Verification): string {
  const { downstream, lookedFor, foundOnce, missing, foundMoreThanOnce, quarantined, nameless, elapsedMs } = verification
  const parts = [`${number(foundOnce)} of ${number(lookedFor)} found once`, `${number(missing)} missing`, `${number(foundMoreThanOnce)} found more than once`]
  if (quarantined > 0) parts.push(`${number(quarantined)} quarantined as invalid`)
  if (nameless > 0) parts.push(`${number(nameless)} without an id to look for`)
  return `${downstream}: ${parts.join(', ')}; after ${ms(elapsedMs)}`
}

function namedEvents ({ missing, missingEvents, foundMoreThanOnce, repeatedEvents }: Verification): ReadonlyArray<readonly [string, string]> {
  const list = (label: string, names: readonly string[], count: number): ReadonlyArray<readonly [string, string]> => [
    ...names.map((name, index) => [index === 0 ? label : '', name] as const),
    ...count > names.length ? [['', `and ${number(count - names.length)} more`] as const] : []
  ]
  return [...list('missing', missingEvents, missing), ...list('repeated', repeatedEvents, foundMoreThanOnce)]
}

function problemLine ({ event, attempt, status, message, faults = [] }: ProblemSample): string {
  return `event ${event + 1}, try ${attempt}: ${[`${status} ${message}`, ...faults].join(' | ')}`
}

function result ({ stopped }: Report, perfect: boolean): string {
  return `${perfect ? 'perfect' : 'NOT PERFECT'}${stopped ? ', until it was stopped' : ''}`
}

function number (value: number): string {
  return value.toLocaleString('en-GB')
}

function events (count: number): string {
  return plural(count, 'event')
}

function ms (value: number): string {
  if (value < 10_000) return `${value.toFixed(1)} ms`
  return value < 60_000 ? `${(value / 1000).toFixed(1)} s` : formatSpan(value)
}
