import type { Output } from './context.js'
import { printable } from './printable.js'

/** Rows as aligned columns, without a line break at the end. */
export function formatTable (rows: ReadonlyArray<readonly string[]>): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, column) => { widths[column] = Math.max(widths[column] ?? 0, printable(cell).length) })
  return rows.map(row => row.map((cell, column) => printable(cell).padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

/** How many columns an output has, where that is known: a terminal that does not know it says 0. */
export function columnsOf ({ columns = 0 }: Pick<Output, 'columns'>): number | undefined {
  return columns > 0 ? columns : undefined
}

/** Writes a table. On a terminal no line is wider than it: what does not fit is cut off. */
export function writeTable (output: Output, rows: ReadonlyArray<readonly string[]>): void {
  const width = (output.isTTY === true ? columnsOf(output) : undefined) ?? Infinity
  const lines = formatTable(rows).split('\n').map(line => line.length > width ? `${line.slice(0, width - 1)}…` : line)
  output.write(`${lines.join('\n')}\n`)
}
