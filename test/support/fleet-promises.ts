import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import type { Fleet } from './fleet.js'

interface Stored {
  readonly id: string
  readonly event_id: string
}

/** Checks what must hold after everything was forwarded. Adds broken promises to the fleet's violations. The sender must have stopped. */
export async function checkPromises (fleet: Fleet, { folder }: { readonly folder: string }): Promise<void> {
  const { sent, arrivals, violations } = fleet
  const stored = await fleet.query<Stored>('SELECT id, event_id FROM {s}.deliveries')
  await allThrough('the destination', stored.map(({ event_id: event }) => event), () => arrivals, violations)
  const lines = new Map<string, number>()
  await allThrough('the file', stored.map(({ id }) => id), () => {
    lines.clear()
    for (const id of fileIds(folder, fleet.replicas.length)) lines.set(id, (lines.get(id) ?? 0) + 1)
    return lines
  }, violations)
  for (const [id, times] of lines) if (times > 1) violations.push(`${id} is in the file ${times} times`)

  const idsOf = new Map<string, string[]>()
  for (const { id, event_id: event } of stored) idsOf.set(event, [...idsOf.get(event) ?? [], id])
  for (const { event, customer, deliveryId, refused } of sent) {
    const ids = idsOf.get(event) ?? []
    if (deliveryId !== undefined && (ids.length !== 1 || ids[0] !== deliveryId)) violations.push(`${event} was answered with the id ${deliveryId} but is stored as ${ids.join(', ')}`)
    if (!refused || (ids.length === 0 && !arrivals.has(event))) continue
    const { status, id } = await fleet.post(0, event, customer)
    if (status !== 200 || ids.length !== 1 || id !== ids[0]) violations.push(`${event} was answered 503 and is stored as ${ids.join(', ')}, and its retry was answered ${status} with ${id}`)
    else fleet.storedLate.push(event)
  }
  if (fleet.storedLate.length > fleet.lateStoresAllowed()) violations.push(`${fleet.storedLate.length} events are stored although they were answered only with 503`)

  const lastOf = new Map<string, number>()
  for (const { event, customer } of sent.filter(({ deliveryId }) => deliveryId !== undefined)) {
    const at = arrivals.get(event) ?? 0
    if (at < (lastOf.get(customer) ?? 0)) violations.push(`${event} was forwarded before an older event of the same customer`)
    lastOf.set(customer, at)
  }
}

async function allThrough (where: string, wanted: readonly string[], read: () => ReadonlyMap<string, unknown>, violations: string[]): Promise<void> {
  let missing = wanted
  await eventually(() => {
    const there = read()
    missing = wanted.filter((each) => !there.has(each))
    return missing.length === 0 ? true : undefined
  }, `each stored event in ${where}`).catch((error: unknown) => { violations.push(`${String(error)}: ${missing.join(', ')}`) })
}

/** Returns the delivery id of each line, whichever replicas have written the file. */
function fileIds (folder: string, replicas: number): readonly string[] {
  return Array.from({ length: replicas }, (_, index) => join(folder, String(index), 'events.ndjson')).filter(existsSync)
    .flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1)).map((line) => (JSON.parse(line) as { id: string }).id)
}
