import type { Webhook, WebhookList } from './management-api.js'
import type { OwnUrls } from './own-urls.js'
import { tickedEvents } from './ticked-events.js'
import type { Finding } from './webhook-status.js'

export interface JudgedWebhooks {
  readonly findings: readonly Finding[]
  /** Webhooks that point here and are switched off, without another webhook that replaces them. */
  readonly off: readonly Webhook[]
}

const MAX_NAMED = 5
const MAX_URL_LENGTH = 200

/** Checks the project's webhooks that point to this service. */
export function judgeWebhooks (list: WebhookList, urls: OwnUrls): JudgedWebhooks {
  const ours = list.webhooks.filter(({ targetUrl }) => urls.targetOf(targetUrl) === 'taken')
  if (ours.length === 0) return { findings: none(list, urls), off: [] }
  const off = ours.filter((webhook) => webhook.active === false && !ours.some((other) => replaces(other, webhook)))
  return {
    findings: [
      { check: 'webhook', state: 'ok', detail: `A webhook points here: ${named(ours)}.` },
      activeFinding(ours, off),
      eventsFinding(ours)
    ],
    off
  }
}

function none ({ webhooks, complete }: WebhookList, urls: OwnUrls): readonly Finding[] {
  const near = webhooks.filter(({ targetUrl }) => urls.targetOf(targetUrl) === 'host')
  const hint = near.length === 0 ? '' : ` On the same host, but not at a URL that tierhook takes: ${named(near)}.`
  const missing: Finding = complete
    ? { check: 'webhook', state: 'wrong', detail: `No webhook of the project settings points at ${urls.webhooks}.${hint} Add one in Voucherify (Project settings, Webhooks), or correct PUBLIC_URL.` }
    : { check: 'webhook', state: 'unknown', detail: `None of the webhooks that Voucherify listed points at ${urls.webhooks}, but it did not list all of them in a form that tierhook knows.${hint}` }
  const nothing = 'There is no webhook to look at.'
  return [missing, { check: 'active', state: 'unknown', detail: nothing }, { check: 'events', state: 'unknown', detail: nothing }]
}

function activeFinding (ours: readonly Webhook[], off: readonly Webhook[]): Finding {
  if (off.length > 0) {
    return {
      check: 'active',
      state: 'wrong',
      detail: `Switched off: ${named(off)}. What Voucherify does not send now is lost. Mend the cause, switch it on in Voucherify (Project settings, Webhooks), and follow docs/after-an-outage.md.`
    }
  }
  const untold = ours.filter(({ active }) => active === undefined)
  if (untold.length > 0) return { check: 'active', state: 'unknown', detail: `Voucherify does not say whether it is switched on: ${named(untold)}.` }
  return { check: 'active', state: 'ok', detail: 'It is switched on.' }
}

function eventsFinding (ours: readonly Webhook[]): Finding {
  const lists = ours.flatMap(({ events }) => events === undefined ? [] : [events])
  const ticked = tickedEvents(lists.flat())
  if (!ticked.known) {
    return { check: 'events', state: 'unknown', detail: 'Its list names no event as Voucherify documents them. That may mean all events; how that is written is not documented. Look in Project settings, Webhooks.' }
  }
  if (ticked.missing.length === 0) return { check: 'events', state: 'ok', detail: 'It has the tier events of the project settings.' }
  if (lists.length < ours.length) return { check: 'events', state: 'unknown', detail: 'Voucherify does not say of every webhook which events it has.' }
  return { check: 'events', state: 'wrong', detail: `Not ticked: ${ticked.missing.join(', ')}. Tick them in Voucherify (Project settings, Webhooks), or it does not send them.` }
}

/** Whether one webhook is on and sends everything that the other would. If both were on, everything would be sent twice. */
function replaces (other: Webhook, off: Webhook): boolean {
  if (other.active !== true || other.events === undefined || off.events === undefined) return false
  const events = new Set(other.events)
  return off.events.length === 0 ? events.size === 0 : off.events.every((event) => events.has(event))
}

function named (webhooks: readonly Webhook[]): string {
  const texts = webhooks.slice(0, MAX_NAMED).map(({ id, targetUrl }) => `${id.slice(0, MAX_URL_LENGTH)} (${shownUrl(targetUrl)})`)
  return webhooks.length > MAX_NAMED ? `${texts.join(', ')} and ${webhooks.length - MAX_NAMED} more` : texts.join(', ')
}

/** Leaves out parts that may be secret: user, password, query. */
function shownUrl (text: string): string {
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`.slice(0, MAX_URL_LENGTH)
}
