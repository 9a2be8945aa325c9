import t from 'tap'
import { validate, version } from 'uuid'
import { createNewId } from '../../src/delivery/new-id.js'

t.test('ids are UUIDs version 7 with a time, and sort in the order in which they were made, also within a millisecond and when the clock steps back', (t) => {
  const start = Date.UTC(2026, 0, 31)
  const times = [start, start + 1, start + 1, start + 1, start - 5000, start + 2]
  let made = 0
  const newId = createNewId(() => times[Math.floor(made / 500)] ?? start + 3)
  const ids: string[] = []
  for (; made < 3000; made++) ids.push(newId())
  t.ok(ids.every((id) => validate(id) && version(id) === 7))
  t.equal(new Set(ids).size, ids.length)
  t.strictSame(ids.toSorted(), ids)
  t.equal(parseInt(ids[0]?.replaceAll('-', '').slice(0, 12) ?? '', 16), start)
  t.equal(parseInt(ids.at(-1)?.replaceAll('-', '').slice(0, 12) ?? '', 16), start + 2)
  t.end()
})

t.test('no two ids share their random part, also of two generators', (t) => {
  const makers = [createNewId(() => 1), createNewId(() => 1)]
  const tails = Array.from({ length: 1000 }, (_each, index) => makers[index % 2]?.().slice(-12))
  t.equal(new Set(tails).size, tails.length)
  t.end()
})
