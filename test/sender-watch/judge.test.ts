import t from 'tap'
import { judgeProject } from '../../src/sender-watch/judge-project.js'
import { judgeWebhooks } from '../../src/sender-watch/judge-webhooks.js'
import type { Webhook } from '../../src/sender-watch/management-api.js'
import { createOwnUrls } from '../../src/sender-watch/own-urls.js'
import type { Finding } from '../../src/sender-watch/webhook-status.js'
import { PUBLIC_URL, TIER_EVENTS } from '../support/fake-management-api.js'

const urls = createOwnUrls({ publicUrl: PUBLIC_URL, customWebhooks: [] })

function webhook (id: string, changes: Partial<Webhook> = {}): Webhook {
  return { id, targetUrl: `${PUBLIC_URL}/webhooks`, events: TIER_EVENTS, active: true, ...changes }
}

function judge (webhooks: readonly Webhook[], complete = true) {
  const { findings, off } = judgeWebhooks({ webhooks, complete }, urls)
  return { states: findings.map(({ check, state }) => `${check} ${state}`), detail: findings.map(({ detail }) => detail).join('\n'), off: off.map(({ id }) => id) }
}

function stateOf (findings: readonly Finding[], check: string): string | undefined {
  return findings.find((each) => each.check === check)?.state
}

t.test('an active webhook that points here and has the tier events is ok', async (t) => {
  t.strictSame(judge([webhook('wh_2', { targetUrl: 'https://elsewhere.example/', active: false }), webhook('wh_1')]).states, ['webhook ok', 'active ok', 'events ok'])
})

t.test('a missing webhook is reported, with similar ones and without secrets in their URLs', async (t) => {
  const { states, detail } = judge([webhook('wh_1', { targetUrl: 'https://user:hunter2@hooks.example.com/webhook?key=hunter2' }), webhook('wh_2', { targetUrl: 'https://elsewhere.example/hunter2' })])
  t.strictSame(states, ['webhook wrong', 'active unknown', 'events unknown'])
  t.match(detail, 'wh_1 (https://hooks.example.com/webhook)')
  t.notMatch(detail, 'hunter2')
  t.strictSame(judge([]).states[0], 'webhook wrong')
})

t.test('if the list of webhooks is incomplete, a missing webhook is unknown and not wrong', async (t) => {
  t.strictSame(judge([], false).states[0], 'webhook unknown')
  t.strictSame(judge([webhook('wh_1')], false).states[0], 'webhook ok')
})

t.test('a webhook that is off is wrong, unless another one sends all of its events', async (t) => {
  const off = webhook('wh_off', { active: false })
  t.match(judge([off]), { states: ['webhook ok', 'active wrong', 'events ok'], off: ['wh_off'] })
  t.match(judge([off, webhook('wh_on')]), { states: ['webhook ok', 'active ok'], off: { length: 0 } })
  t.match(judge([off, webhook('wh_on', { events: TIER_EVENTS.slice(1) })]), { states: ['webhook ok', 'active wrong'], off: ['wh_off'] })
  t.match(judge([off, webhook('wh_on', { targetUrl: 'https://elsewhere.example/' })]), { states: ['webhook ok', 'active wrong'], off: ['wh_off'] })
  t.match(judge([webhook('wh_off', { active: false, events: [] }), webhook('wh_on')]), { states: ['webhook ok', 'active wrong'], off: ['wh_off'] })
  t.match(judge([off, webhook('wh_too', { active: false })]).off, ['wh_off', 'wh_too'])
  t.match(judge([webhook('wh_1', { active: undefined })]), { states: ['webhook ok', 'active unknown'], off: { length: 0 } })
})

t.test('tier events may be spread over several webhooks, with the capital letters of either document, and with its misspelling', async (t) => {
  t.equal(judge(TIER_EVENTS.map((event, index) => webhook(`wh_${index}`, { events: [event], targetUrl: `${PUBLIC_URL}/webhooks/${event}` }))).states[2], 'events ok')
  t.equal(judge([webhook('wh_1', { events: TIER_EVENTS.map((event) => `EVENTS.${event.toUpperCase()}`) })]).states[2], 'events ok')
  t.equal(judge([webhook('wh_1', { events: ['campaign.loyalty_tier.created', 'campaign.loyality_tier.updated', 'campaign.loyalty_tier.delted'] })]).states[2], 'events ok')
})

t.test('a tier event that is not ticked is named, and no similar one is taken for it', async (t) => {
  for (const missing of TIER_EVENTS) {
    const { states, detail } = judge([webhook('wh_1', { events: [...TIER_EVENTS.filter((event) => event !== missing), 'voucher.created'] })])
    t.equal(states[2], 'events wrong')
    t.match(detail, `Not ticked: ${missing}.`)
  }
})

t.test('a list without events, which may mean all events, is not known to lack any', async (t) => {
  for (const events of [[], ['*'], ['ALL'], undefined]) t.equal(judge([webhook('wh_1', { events })]).states[2], 'events unknown')
  t.equal(judge([webhook('wh_1', { events: TIER_EVENTS.slice(1) }), webhook('wh_2', { events: undefined })]).states[2], 'events unknown')
})

t.test('the secret is right if it is one of the configured ones, and is never shown', async (t) => {
  const judged = (webhookToken: string | undefined, secrets: readonly string[]) => judgeProject({ webhookToken, webhookVersion: undefined }, secrets)
  for (const [token, secrets, state] of [
    ['hunter2', ['hunter2'], 'ok'], ['hunter2', ['hunter1', 'hunter2'], 'ok'], ['hunter3', ['hunter1', 'hunter2'], 'wrong'], [undefined, ['hunter1'], 'unknown'], ['hunter1', [], 'unknown']
  ] as const) {
    t.equal(stateOf(judged(token, secrets), 'secret'), state)
    t.notMatch(JSON.stringify(judged(token, secrets)), 'hunter')
  }
})

t.test('the version of webhooks is reported, and an unknown one is not called wrong', async (t) => {
  const state = (webhookVersion: string | undefined) => stateOf(judgeProject({ webhookToken: undefined, webhookVersion }, []), 'version')
  t.strictSame(['v2024-01-01', 'v2018-08-01', 'v2030-01-01', undefined].map(state), ['ok', 'wrong', 'unknown', 'unknown'])
})
