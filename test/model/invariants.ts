import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StoredRows } from './engine.js'
import type { FileLine } from './file-lines.js'
import type { History, Sent, Sink } from './history.js'
import { shapes } from './shapes.js'

/** What the data folder holds. */
export interface Stored extends StoredRows {
  readonly lines: readonly FileLine[]
}

const QUARANTINED = 1

/** Marks of a forwarder that stand for a delivery's first way: those of what was released have a replay's number. */
function marksOf (stored: Stored, name: string): { readonly first: ReadonlySet<number>, readonly any: ReadonlySet<number>, readonly dead: ReadonlySet<number> } {
  const mine = stored.waiting.filter(({ forwarder }) => forwarder === name)
  return {
    first: new Set(mine.filter(({ replay, kind }) => replay === 0 || kind === 'release').map(({ sequence }) => sequence)),
    any: new Set(mine.map(({ sequence }) => sequence)),
    dead: new Set(stored.dead.filter(({ forwarder }) => forwarder === name).map(({ sequence }) => sequence))
  }
}

/** Whether a delivery is one that a forwarder gets on its first way. */
function isFor (sink: Sink, { delivery, sequence, quarantined, released }: Sent): boolean {
  if (quarantined || sequence === undefined || !sink.wants(delivery)) return false
  return released ? sink.released.has(delivery.id) : sequence > (sink.began ?? Infinity)
}

/** Takes note of what the data folder holds now, and of everything in it that breaks a promise. */
export function observe (history: History, stored: Stored, before: Stored, { prunableBefore }: { readonly prunableBefore: number }): void {
  const { violations } = history
  const rows = new Map(stored.deliveries.map((row) => [row.id, row]))
  for (const row of stored.deliveries) {
    const sent = history.byId(row.id)
    if (sent === undefined) violations.push(`${row.id} is stored but was never sent`)
    else {
      sent.sequence ??= row.sequence
      if (sent.sequence !== row.sequence) violations.push(`${row.id} changed its sequence from ${sent.sequence} to ${row.sequence}`)
      if (sent.pruned) violations.push(`${row.id} is stored again after it was removed`)
      if ((row.hold === QUARANTINED) !== sent.quarantined) violations.push(`${row.id} is ${sent.quarantined ? 'not ' : ''}quarantined`)
      if (row.duplicates < sent.duplicates) violations.push(`${row.id} counts only ${row.duplicates} of ${sent.duplicates} duplicates`)
    }
  }
  for (const { name, cursor, began } of stored.forwarders) observeForwarder(history, stored, name, cursor, began)
  for (const sent of history.sent) if (sent.answer === 'stored' && !sent.pruned && !rows.has(sent.delivery.id)) observePruned(history, before, sent, prunableBefore)
}

function observeForwarder (history: History, stored: Stored, name: string, cursor: number, began: number): void {
  const sink = history.sinks.get(name)
  if (sink === undefined) {
    history.violations.push(`the forwarder ${name} is stored but was never added`)
    return
  }
  if (sink.began === undefined) {
    sink.began = began
    // One that begins at the beginning gets also what was released before it came. With a clock that was set back, one that begins now may begin there too.
    if ((shapes[name]?.start ?? 'beginning') === 'beginning') for (const { released, pruned, delivery } of history.sent) if (released && !pruned) sink.released.add(delivery.id)
  }
  if (sink.began !== began) history.violations.push(`the start of ${name} changed from ${sink.began} to ${began}`)
  if (cursor < sink.cursor) history.violations.push(`the cursor of ${name} went back from ${sink.cursor} to ${cursor}`)
  sink.cursor = cursor
  const marks = marksOf(stored, name)
  const lines = new Set(stored.lines.filter(({ replay }) => !replay).map(({ id }) => id))
  for (const { id, sequence } of stored.deliveries) {
    const sent = history.byId(id)
    if (sent === undefined || sequence > cursor || !isFor(sink, sent) || marks.first.has(sequence) || marks.dead.has(sequence)) continue
    const finished = name === 'file' ? lines.has(id) : sink.done.has(id)
    if (!finished) history.violations.push(`the cursor of ${name} has passed ${id} (${sequence}), which is not finished`)
  }
}

/** @param before what was stored before it went */
function observePruned (history: History, before: Stored, sent: Sent, prunableBefore: number): void {
  const { id, receivedAt } = sent.delivery
  sent.pruned = true
  if (sent.sequence === undefined || !before.deliveries.some((row) => row.id === id)) {
    history.violations.push(`${id} was acknowledged but is not stored`)
    return
  }
  if (sent.quarantined) history.violations.push(`${id} was removed while it was in quarantine`)
  if (receivedAt >= prunableBefore) history.violations.push(`${id} was removed before its retention ended`)
  for (const sink of history.sinks.values()) {
    if (sink.began !== undefined && isFor(sink, sent) && sink.name !== 'file' && !sink.done.has(id)) history.violations.push(`${id} was removed before ${sink.name} got it`)
    if ((sink.replaysAsked.get(id) ?? 0) > (sink.replaysDone.get(id) ?? 0) && sink.name !== 'file') history.violations.push(`${id} was removed before its replay to ${sink.name}`)
    if (marksOf(before, sink.name).dead.has(sent.sequence) && !sink.replaysDone.has(id)) history.violations.push(`${id} was removed although it is a dead letter of ${sink.name}`)
  }
}

/** What must be true once every destination is well and nothing is left to do. */
export function checkDrained (history: History, stored: Stored, dataDir: string): void {
  const { violations } = history
  const ids = new Set(stored.deliveries.map(({ id }) => id))
  for (const { forwarder, sequence, replay } of stored.waiting) violations.push(`${sequence} still waits for ${forwarder} (replay ${replay})`)
  for (const { answer, delivery } of history.sent) {
    if (answer === 'pending') violations.push(`${delivery.id} was never answered`)
    if (answer === 'refused' && ids.has(delivery.id)) violations.push(`${delivery.id} was refused but is stored`)
  }
  for (const { name, cursor } of stored.forwarders) {
    const sink = history.sinks.get(name)
    if (sink === undefined) continue
    if (cursor < stored.lastSequence) violations.push(`the cursor of ${name} is at ${cursor} and not at ${stored.lastSequence}`)
    const { dead } = marksOf(stored, name)
    for (const sent of history.sent) {
      const { id } = sent.delivery
      const isStored = sent.answer === 'stored' || (sent.answer === 'unanswered' && ids.has(id))
      if (!isStored || !isFor(sink, sent) || sent.sequence === undefined || (sent.pruned && name !== 'file')) continue
      if (name === 'file') checkLines(violations, stored.lines.filter((line) => line.id === id), id, sink)
      else {
        if (!sink.done.has(id) && !dead.has(sent.sequence)) violations.push(`${name} never got ${id}`)
        const [asked, done] = [sink.replaysAsked.get(id) ?? 0, sink.replaysDone.get(id) ?? 0]
        if (done < asked) violations.push(`${name} got ${done} of ${asked} replays of ${id}`)
      }
    }
  }
  checkFileOrder(history, stored)
  if (existsSync(join(dataDir, 'withdrawn'))) violations.push(`withdrawals are left: ${readFileSync(join(dataDir, 'withdrawn'), 'utf8')}`)
}

function checkLines (violations: string[], lines: readonly FileLine[], id: string, sink: Sink): void {
  const asked = sink.replaysAsked.get(id) ?? 0
  const replays = lines.filter(({ replay }) => replay).length
  if (lines.length - replays !== 1) violations.push(`the file has ${id} ${lines.length - replays} times`)
  if (replays !== asked) violations.push(`${id} is in the file as ${replays} of ${asked} replays`)
}

function checkFileOrder (history: History, { lines }: Stored): void {
  let last = 0
  for (const { id, replay } of lines) {
    const sent = history.byId(id)
    if (sent === undefined || sent.answer === 'refused') history.violations.push(`the file has ${id}, which was not acknowledged`)
    if (sent?.sequence === undefined || replay || sent.released) continue
    if (sent.sequence < last) history.violations.push(`${id} comes too late in the file: after sequence ${last}`)
    last = Math.max(last, sent.sequence)
  }
}
