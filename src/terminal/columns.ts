import { type Colour, createPaint, isColourful, type Output, type Paint, type Terminal } from './output.js'
import { cutToWidth, displayWidth } from './display-width.js'
import { printable } from './printable.js'
import { columnsOf } from './table.js'

/** A column of a table that is made to fit a terminal. */
export interface Column {
  readonly title: string
  /** Where there is no room, the column with the largest number goes first; one without a number stays. */
  readonly dropped?: number
  /** Down to how many characters its texts may be cut, where that keeps another column. */
  readonly least?: number
  /** Whether the end of a text says more than its beginning, and stays. */
  readonly keepsEnd?: boolean
}

export type Cell = string | { readonly text: string, readonly colour: Colour }

const GAP = 2

/** Writes a table. On a terminal the columns that matter least are left out until the rest fits; elsewhere it is as wide as it is, in full. */
export function writeColumns (output: Output, terminal: Terminal, columns: readonly Column[], rows: ReadonlyArray<readonly Cell[]>): void {
  output.write(formatColumns(columns, rows, { width: output.isTTY === true ? columnsOf(output) : undefined, paint: createPaint(isColourful(output, terminal)) }))
}

/** The same as text, each line with its end. */
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

/** As much of the end of a text as fits into so many columns. */
function endOf (text: string, columns: number): string {
  const characters = [...text]
  while (displayWidth(characters.join('')) > columns) characters.shift()
  return characters.join('')
}

/** The width of each column, 0 for one that is left out: so many columns as fit when each is cut as far as it may be, and then as wide as there is room. */
function fit (columns: readonly Column[], natural: readonly number[], available: number): readonly number[] {
  const least = columns.map((column, index) => Math.min(natural[index] ?? 0, column.least ?? Infinity))
  const kept = new Set(columns.keys())
  const sum = (widths: readonly number[]): number => [...kept].reduce((total, index) => total + (widths[index] ?? 0) + GAP, -GAP)
  const droppable = [...columns.keys()].filter((index) => columns[index]?.dropped !== undefined).sort((one, other) => (columns[other]?.dropped ?? 0) - (columns[one]?.dropped ?? 0))
  for (const index of droppable) if (sum(least) > available) kept.delete(index)
  let room = available - sum(least)
  // From the right: what is there says more than the type, which is long. Where not even those fit that stay, the last of them are cut, or go.
  return [...columns.keys()].reduceRight<readonly number[]>((widths, index) => {
    if (!kept.has(index)) return [0, ...widths]
    const width = least[index] ?? 0
    const more = Math.max(-width, Math.min((natural[index] ?? 0) - width, room))
    room -= more === -width && width > 0 ? more - GAP : more
    return [width + more, ...widths]
  }, [])
}
