import type { Output } from './output.js'
import { cutToWidth, displayWidth } from './display-width.js'
import { printable } from './printable.js'

/** Formats rows as aligned columns, without a line break at the end. */
export function formatTable (rows: ReadonlyArray<readonly string[]>): string {
  const cells = rows.map(row => row.map(cell => {
    const text = printable(cell)
    return { text, width: displayWidth(text) }
  }))
  const widths: number[] = []
  for (const row of cells) row.forEach(({ width }, column) => { widths[column] = Math.max(widths[column] ?? 0, width) })
  return cells.map(row => row.map(({ text, width }, column) => text + ' '.repeat((widths[column] ?? 0) - width)).join('  ').trimEnd()).join('\n')
}

/** Returns the width of the output in columns; `undefined` if it is unknown. A terminal that does not know its width says 0. */
export function columnsOf ({ columns = 0 }: Pick<Output, 'columns'>): number | undefined {
  return columns > 0 ? columns : undefined
}

/** Prints a table. On a terminal, lines are cut to its width. */
export function writeTable (output: Output, rows: ReadonlyArray<readonly string[]>): void {
  const width = (output.isTTY === true ? columnsOf(output) : undefined) ?? Infinity
  const lines = formatTable(rows).split('\n').map(line => displayWidth(line) > width ? `${cutToWidth(line, width - 1)}…` : line)
  output.write(`${lines.join('\n')}\n`)
}
