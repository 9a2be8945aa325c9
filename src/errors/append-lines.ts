import { fstatSync, readSync, writeFileSync } from 'node:fs'

/**
 * Appends whole lines to an open file, all of them or an error: a line that a full disk or an editor has left without its end keeps that to itself.
 * @param file opened to read and to append
 */
export function appendLines (file: number, lines: string): void {
  const { size } = fstatSync(file)
  const last = Buffer.from('\n')
  if (size > 0) readSync(file, last, 0, 1, size - 1)
  writeFileSync(file, last.toString() === '\n' ? lines : `\n${lines}`)
}
