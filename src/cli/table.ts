import type { Output } from './context.js'
import { printable } from './printable.js'

/** Rows as aligned columns, without a line break at the end. */
export function formatTable (rows: ReadonlyArray<readonly string[]>): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, column) => { widths[column] = Math.max(widths[column] ?? 0, printable(cell).length) })
  return rows.map(row => row.map((cell, column) => printable(cell).padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

/** Writes a table. On a terminal no line is wider than it: what does not fit is cut off. */
export function writeTable (output: Output, rows: ReadonlyArray<readonly string[]>): void {
  const columns = output.isTTY === true ? output.columns ?? 0 : 0
  // A terminal that does not know its width says 0.
  const width = columns > 0 ? columns : Infinity
  const lines = formatTable(rows).split('\n').map(line => line.length > width ? `${line.slice(0, width - 1)}…` : line)
  output.write(`${lines.join('\n')}\n`)
}
