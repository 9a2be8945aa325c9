import { type Colour, createPaint, isColourful, type Output, type Paint, type Terminal } from './output.js'
import { cutToWidth, displayWidth } from './display-width.js'
import { printable } from './printable.js'
import { columnsOf } from './table.js'

/** A column of a table that fits the terminal. */
export interface Column {
  readonly title: string
  /** If the table is too wide, the column with the largest number is left out first. A column without a number stays. */
  readonly dropped?: number
  /** Least width, in characters, to which texts may be cut to keep other columns. */
  readonly least?: number
  /** Whether cutting keeps the end of a text instead of its beginning. */
  readonly keepsEnd?: boolean
}

export type Cell = string | { readonly text: string, readonly colour: Colour }

const GAP = 2

/** Prints a table. On a terminal, the least important columns are left out until the rest fits. Elsewhere the table has its full width. */
export function writeColumns (output: Output, terminal: Terminal, columns: readonly Column[], rows: ReadonlyArray<readonly Cell[]>): void {
  output.write(formatColumns(columns, rows, { width: output.isTTY === true ? columnsOf(output) : undefined, paint: createPaint(isColourful(output, terminal)) }))
}

/** Formats the table as text. Every line ends with a line feed. */
export function formatColumns (columns: readonly Column[], rows: ReadonlyArray<readonly Cell[]>, { width = Infinity, paint }: { readonly width?: number | undefined, readonly paint: Paint }): string {
  const texts = rows.map((row) => row.map((cell) => printable(typeof cell === 'string' ? cell : cell.text)))
  const natural = columns.map(({ title }, index) => Math.max(displayWidth(title), ...texts.map((row) => displayWidth(row[index] ?? ''))))
  const widths = fit(columns, natural, width)
  const lineOf = (cells: readonly string[], painted: (index: number, text: string) => string): string => widths
    .flatMap((columnWidth, index) => columnWidth === 0 ? [] : [cell(cells[index] ?? '', { width: columnWidth, keepsEnd: columns[index]?.keepsEnd === true, painted: (text) => painted(index, text) })])
    .join(' '.repeat(GAP)).trimEnd()
  const lines = rows.map((row, at) => lineOf(texts[at] ?? [], (index, text) => {
    const own = row[index]
    return typeof own === 'object' ? paint(own.colour, text) : text
  }))
  return [lineOf(columns.map(({ title }) => title), (_index, text) => paint('dim', text)), ...lines].map((line) => `${line}\n`).join('')
}

function cell (text: string, { width, keepsEnd, painted }: { readonly width: number, readonly keepsEnd: boolean, readonly painted: (text: string) => string }): string {
  const cut = (): string => keepsEnd ? `…${endOf(text, width - 1)}` : `${cutToWidth(text, width - 1)}…`
  const shown = displayWidth(text) > width ? cut() : text
  return painted(shown) + ' '.repeat(width - displayWidth(shown))
}

/** Returns as much of the end of a text as fits into the given number of columns. */
function endOf (text: string, columns: number): string {
  const characters = [...text]
  while (displayWidth(characters.join('')) > columns) characters.shift()
  return characters.join('')
}

/**
 * Returns the width of each column; 0 for one that is left out. First keeps as many columns as fit at their least width, then widens them while
 * there is room.
 */
function fit (columns: readonly Column[], natural: readonly number[], available: number): readonly number[] {
  const least = columns.map((column, index) => Math.min(natural[index] ?? 0, column.least ?? Infinity))
  const kept = new Set(columns.keys())
  const sum = (widths: readonly number[]): number => [...kept].reduce((total, index) => total + (widths[index] ?? 0) + GAP, -GAP)
  const droppable = [...columns.keys()].filter((index) => columns[index]?.dropped !== undefined).sort((one, other) => (columns[other]?.dropped ?? 0) - (columns[one]?.dropped ?? 0))
  for (const index of droppable) if (sum(least) > available) kept.delete(index)
  let room = available - sum(least)
  // Widen from the right, because the right columns say more than the long event type. If even the remaining columns do not fit, the last ones
  // are cut or left out.
  return [...columns.keys()].reduceRight<readonly number[]>((widths, index) => {
    if (!kept.has(index)) return [0, ...widths]
    const width = least[index] ?? 0
    const more = Math.max(-width, Math.min((natural[index] ?? 0) - width, room))
    room -= more === -width && width > 0 ? more - GAP : more
    return [width + more, ...widths]
  }, [])
}
