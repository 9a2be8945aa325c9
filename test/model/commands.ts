import * as fc from 'fast-check'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import { answers, type DestinationAnswer } from './controlled-forwarder.js'
import type { History, Sent } from './history.js'
import { controlled, eventTypes } from './shapes.js'
import type { StallPhase } from './stall.js'
import { faults, type Fault } from './engine.js'
import type { World } from './world.js'

export type Command = fc.AsyncCommand<History, World>

/** A command that says what it is, so that a run that failed can be written down and gone through again. */
function command (name: string, parameters: readonly unknown[], run: (world: World, history: History) => Promise<void> | void, check: (history: Readonly<History>) => boolean = () => true): Command {
  return {
    check,
    async run (history, world) {
      await run(world, history)
      await world.settle()
    },
    toString: () => `${name}(${parameters.map((value) => JSON.stringify(value)).join(', ')})`
  }
}

export interface Webhook {
  readonly customer: number | null
  readonly type: number
  readonly quarantined: boolean
}

const hasSent = (history: Readonly<History>): boolean => history.sent.length > 0

/** One of those that there are: the last for 0. */
function pick (all: readonly Sent[], index: number): Sent | undefined {
  return all[all.length - 1 - index % Math.max(1, all.length)]
}

function deliveryOf ({ customer, type, quarantined }: Webhook, history: History, world: World, copyOf?: Sent): NewDelivery {
  const index = history.sent.length
  const eventType = eventTypes[type] ?? eventTypes[0]
  const original = copyOf?.delivery
  return {
    id: `01900000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    receivedAt: world.time.now(),
    eventType,
    verdict: quarantined ? 'invalid' : 'valid',
    faults: quarantined ? [{ pointer: '/data', message: 'is wrong' }] : [],
    quarantined,
    dedupeKey: `key-${index}`,
    sourceObject: 'distribution',
    sourceId: 'distr_1',
    eventId: `ev_${index}`,
    projectId: 'proj_1',
    customerId: customer === null ? null : `cust_${customer}`,
    campaignId: null,
    headers: { 'content-type': 'application/json' },
    rawBody: Buffer.from(JSON.stringify({ id: `whs_${index}`, event: { id: `ev_${index}`, type: eventType }, data: { customer } })),
    ...(original === undefined ? {} : sameEvent(original))
  }
}

/** What a copy of a webhook has in common with it. */
function sameEvent ({ dedupeKey, rawBody, eventType, customerId, quarantined, verdict, faults }: NewDelivery): Partial<NewDelivery> {
  return { dedupeKey, rawBody, eventType, customerId, quarantined, verdict, faults }
}

export const send = (...webhooks: Webhook[]): Command => command('send', webhooks, (world, history) => {
  for (const webhook of webhooks) world.send(deliveryOf(webhook, history, world))
})

export const sendAgain = (index: number, copies: number): Command => command('sendAgain', [index, copies], (world, history) => {
  const original = pick(history.sent, index)
  for (let copy = 0; copy < copies; copy++) if (original !== undefined) world.send(deliveryOf({ customer: null, type: 0, quarantined: false }, history, world, original))
}, hasSent)

export const answer = (name: string, ...each: DestinationAnswer[]): Command => command('answer', [name, ...each], async (world) => {
  for (const one of each) {
    world.answer(name, one)
    await world.time.settle()
    if (one === 'hangs') await world.time.advance(5000)
  }
})

export const pass = (ms: number): Command => command('pass', [ms], async (world) => { await world.time.advance(ms) })
export const stepClock = (ms: number): Command => command('stepClock', [ms], (world) => { world.time.stepWall(ms) })
export const stall = (phase: StallPhase): Command => command('stall', [phase], (world) => { world.stall(phase) })
export const heal = (): Command => command('heal', [], (world) => { world.heal() })
export const crash = (tear: number): Command => command('crash', [tear], async (world) => { await world.crash(tear) })
export const crashAt = (points: number, tear: number): Command => command('crashAt', [points, tear], (world) => { world.arm('crash', points, tear) })
export const failAt = (fault: Fault, points: number): Command => command('failAt', [fault, points], (world) => { world.arm(fault, points) })
export const endStore = (): Command => command('endStore', [], (world) => { world.endStore() })
export const restart = (...configured: string[]): Command => command('restart', configured, async (world) => { await world.restart(configured) })
export const forget = (name: string): Command => command('forget', [name], async (world) => { await world.forget(name) })
export const prune = (): Command => command('prune', [], async (world) => { await world.prune() })
export const replay = (index: number, name: string): Command => command('replay', [index, name], async (world, history) => {
  const sent = pick(history.sent.filter(({ sequence, pruned, quarantined }) => sequence !== undefined && !pruned && !quarantined), index)
  if (sent !== undefined) await world.replay(sent, name)
}, hasSent)
export const release = (index: number): Command => command('release', [index], async (world, history) => {
  const sent = pick(history.sent.filter(({ sequence, quarantined }) => sequence !== undefined && quarantined), index)
  if (sent !== undefined) await world.release(sent)
}, hasSent)

const webhook = fc.record({
  customer: fc.option(fc.nat(2), { freq: 5 }),
  type: fc.constantFrom(0, 0, 0, 1),
  quarantined: fc.constantFrom(false, false, false, false, true)
})
const name = fc.constantFrom(...controlled)
const index = fc.nat(9)
const tear = fc.constantFrom(1, 1, 0, 0.3, 0.9)
const SECOND = 1000
const HOUR = 3_600_000
const some = (arbitrary: fc.Arbitrary<Command>, times: number): Array<fc.Arbitrary<Command>> => Array.from({ length: times }, () => arbitrary)

/** What happens, the usual things more often. */
export const commands: Array<fc.Arbitrary<Command>> = [
  ...some(fc.array(webhook, { minLength: 1, maxLength: 5 }).map((webhooks) => send(...webhooks)), 5),
  ...some(fc.tuple(index, fc.integer({ min: 1, max: 2 })).map(([at, copies]) => sendAgain(at, copies)), 2),
  ...some(fc.tuple(name, fc.array(fc.constantFrom(...answers, 'forwarded' as const, 'forwarded' as const), { minLength: 1, maxLength: 6 })).map(([one, each]) => answer(one, ...each)), 6),
  fc.tuple(name, fc.integer({ min: 5, max: 8 })).map(([one, count]) => answer(one, ...Array.from({ length: count }, () => 'retry' as const))),
  ...some(fc.constantFrom(20, 100, 500, 1.1 * SECOND, 5 * SECOND, 61 * SECOND, 700 * SECOND).map(pass), 4),
  fc.constantFrom(HOUR, 3 * HOUR, 25 * HOUR).map(pass),
  fc.constantFrom(-HOUR, HOUR).map(stepClock),
  fc.constantFrom('before' as const, 'after' as const).map(stall),
  fc.constant(heal()),
  tear.map(crash),
  ...some(fc.tuple(fc.integer({ min: 1, max: 40 }), tear).map(([points, torn]) => crashAt(points, torn)), 2),
  ...some(fc.tuple(fc.constantFrom(...faults), fc.integer({ min: 1, max: 30 })).map(([fault, points]) => failAt(fault, points)), 2),
  fc.constant(endStore()),
  fc.shuffledSubarray(controlled).map((configured) => restart(...configured)),
  name.map(forget),
  fc.constant(prune()),
  ...some(fc.tuple(index, fc.constantFrom(...controlled, 'file')).map(([at, one]) => replay(at, one)), 2),
  index.map(release)
]
