import type { Settings } from '../config/settings.js'
import type { AskedOnce } from '../composition/open-watchdog.js'
import type { CommandContext } from './context.js'
import { printable } from '../terminal/printable.js'
import { UsageError } from './command-line.js'

/**
 * Asks Voucherify once about the webhook's state.
 * @throws UsageError if the settings do not say which Management API to ask
 */
export async function checkSender (context: CommandContext, settings: Settings, timeoutMs: number): Promise<AskedOnce> {
  const asked = await context.askSender({ settings, timeoutMs })
  if (asked !== undefined) return asked
  throw new UsageError('--voucherify needs VOUCHERIFY_MANAGEMENT_ID, VOUCHERIFY_MANAGEMENT_TOKEN, VOUCHERIFY_PROJECT_ID, VOUCHERIFY_REGION and PUBLIC_URL; ' +
    'only Enterprise plans of Voucherify have the first two')
}

/** Whether every question was answered and nothing is wrong. What Voucherify does not disclose does not count as wrong. */
export function isSenderWell ({ findings, failures }: AskedOnce): boolean {
  return failures.length === 0 && findings.every(({ state }) => state !== 'wrong')
}

/** Formats the findings for a person. */
export function senderText ({ projectId, managementUrl, findings, failures, cannotSee }: AskedOnce): string {
  return [
    `Voucherify, project ${projectId}, asked at ${managementUrl}:`,
    ...failures.map((reason) => `  not answered: ${printable(reason)}`),
    ...findings.map(({ check, state, detail }) => `  ${check}: ${state}. ${printable(detail)}`),
    `  not checked: ${cannotSee}`,
    ''
  ].join('\n')
}
