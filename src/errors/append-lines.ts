import { fstatSync, readSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/**
 * Appends whole lines to a file, all of them or an error. Where a full disk or an editor has left the last line without its end, they begin on a
 * line of their own.
 * @param file opened to read and to append
 */
export function appendLines (file: number, lines: string): void {
  const { size } = fstatSync(file)
  const last = Buffer.from('\n')
  if (size > 0) readSync(file, last, 0, 1, size - 1)
  writeFileSync(file, afterByte(last, lines))
}

/** The same, without waiting for the disk. */
export async function appendLinesLater (file: FileHandle, lines: string): Promise<void> {
  const { size } = await file.stat()
  const last = Buffer.from('\n')
  if (size > 0) await file.read(last, 0, 1, size - 1)
  await file.appendFile(afterByte(last, lines))
}

function afterByte (last: Buffer, lines: string): string {
  return last.toString() === '\n' ? lines : `\n${lines}`
}
