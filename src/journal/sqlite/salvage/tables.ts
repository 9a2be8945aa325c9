import { connect, type Connection } from '../database.js'
import { migrate, SCHEMA_VERSION } from '../schema.js'
import type { Row } from './cells.js'
import type { Value } from './record-format.js'

/**
 * The types of a row's values, in the order in which the file stores the columns: `i` an integer, `n` a number, `t` text, `b` bytes, `-`
 * the place of the rowid. A capital letter may also be null. A row is recognised by its shape, without the tree that it belonged to. Where
 * shapes are alike, the values tell rows apart.
 */
interface Shape {
  readonly name: string
  readonly rowid: boolean
  readonly columns: string
}

/** The shapes besides those of tierhook's tables. */
const OTHERS: readonly Shape[] = [
  { name: 'sqlite_sequence', rowid: true, columns: 'ti' },
  { name: 'waiting_lane', rowid: false, columns: 'ttii' },
  // Also matches the same index of replays.
  { name: 'waiting_due', rowid: false, columns: 'tiii' },
  { name: 'waiting_sequence', rowid: false, columns: 'iti' },
  // Also matches the index of deduplication keys by age. Its numbers are times, and so greater than any sequence.
  { name: 'dead_letters_sequence', rowid: false, columns: 'it' },
  { name: 'other_index', rowid: false, columns: 'ii' },
  // The index of deliveries that are not accepted. It ends with the sequence twice: as a column and as the rowid.
  { name: 'other_index', rowid: false, columns: 'iii' },
  { name: 'id_index', rowid: false, columns: 'ti' },
  { name: 'sqlite_schema', rowid: true, columns: 'tttiT' }
]

const LETTERS: Readonly<Record<string, string>> = { INTEGER: 'i', REAL: 'n', TEXT: 't', BLOB: 'b' }

/** A row has the columns of the schema version that wrote it, so a file may have rows of several versions. */
function shapesOfAllVersions (): readonly Shape[] {
  const db = connect(':memory:')
  const shapes = new Map<string, Shape>()
  for (let version = 1; version <= SCHEMA_VERSION; version++) {
    migrate(db, version)
    for (const shape of shapesOf(db)) shapes.set(`${shape.name} ${shape.columns}`, shape)
  }
  db.close()
  return [...shapes.values(), ...OTHERS]
}

function shapesOf (db: Connection): readonly Shape[] {
  const tables = db.prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'").all() as Array<{ name: string, wr: number }>
  const select = db.prepare('SELECT type, "notnull" AS required, pk FROM pragma_table_info(?) ORDER BY cid')
  return tables.map(({ name, wr }) => {
    const columns = select.all([name]) as Array<{ type: string, required: number, pk: number }>
    const letters = columns.map(({ type, required, pk }) => {
      const letter = LETTERS[type] ?? '-'
      if (pk > 0 && wr === 0) return '-'
      return required === 1 ? letter : letter.toUpperCase()
    })
    return { name, rowid: wr === 0, columns: letters.join('') }
  })
}

let shapes: readonly Shape[] | undefined

/** Returns the table or index that a row belongs to; `undefined` if it is none of tierhook's. */
export function tableOf ({ rowid, values }: Row): string | undefined {
  if (rowid !== undefined && !Number.isSafeInteger(rowid)) return undefined
  shapes ??= shapesOfAllVersions()
  return shapes.find((shape) => shape.rowid === (rowid !== undefined) && shape.columns.length === values.length &&
    values.every((value, index) => fits(value, shape.columns[index] ?? '-')))?.name
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
