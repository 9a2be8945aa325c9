import type { Row } from './cells.js'
import type { Value } from './record-format.js'

/**
 * What a row of each table and index is made of, in the order in which its columns stand in the file: `i` a whole number, `n` a
 * number, `t` text, `b` bytes, `-` the rowid's place; in capitals where it may be null. `added` are the columns that rows of an
 * earlier schema version do not have. No two of them are alike but where the values tell them apart, so that a row is known by
 * itself, without the tree that it hung from.
 */
const shapes = {
  deliveries: { rowid: true, columns: '-tittiTTTTTTiTtii', added: 'II' },
  bodies: { rowid: true, columns: '-b' },
  attempts: { rowid: true, columns: 'itiiintT' },
  replays: { rowid: true, columns: '-itt' },
  sqlite_sequence: { rowid: true, columns: 'ti' },
  dedupe_keys: { rowid: false, columns: 'tttii' },
  forwarders: { rowid: false, columns: 'tiiTtiI', added: 'iT' },
  waiting: { rowid: false, columns: 'tiiTiiiiT', added: 'i' },
  dead_letters: { rowid: false, columns: 'tiiit' },
  waiting_lane: { rowid: false, columns: 'ttii' },
  // Also the same of replays.
  waiting_due: { rowid: false, columns: 'tiii' },
  waiting_sequence: { rowid: false, columns: 'iti' },
  // Also the index of keys by their age, whose numbers are times.
  dead_letters_sequence: { rowid: false, columns: 'it' },
  other_index: { rowid: false, columns: 'ii' },
  id_index: { rowid: false, columns: 'ti' },
  sqlite_schema: { rowid: true, columns: 'tttiT' }
} as const satisfies Record<string, Shape>

interface Shape {
  readonly rowid: boolean
  readonly columns: string
  readonly added?: string
}

export type TableName = keyof typeof shapes

const byShape = new Map<string, Array<{ name: TableName, columns: string }>>()
for (const [name, { rowid, columns, added = '' }] of Object.entries(shapes) as Array<[TableName, Shape]>) {
  for (const each of new Set([columns, columns + added])) {
    const key = `${rowid} ${each.length}`
    byShape.set(key, [...byShape.get(key) ?? [], { name, columns: each }])
  }
}

/** The table or index that a row is of; `undefined` where it is of none of ours. */
export function tableOf ({ rowid, values }: Row): TableName | undefined {
  if (rowid !== undefined && !Number.isSafeInteger(rowid)) return undefined
  const candidates = byShape.get(`${rowid !== undefined} ${values.length}`) ?? []
  return candidates.find(({ columns }) => values.every((value, index) => fits(value, columns[index] ?? '-')))?.name
}

function fits (value: Value, type: string): boolean {
  switch (type) {
    case '-': return value === null
    case 'i': return Number.isSafeInteger(value)
    case 'n': return typeof value === 'number'
    case 't': return typeof value === 'string'
    case 'b': return Buffer.isBuffer(value)
    default: return value === null || fits(value, type.toLowerCase())
  }
}
