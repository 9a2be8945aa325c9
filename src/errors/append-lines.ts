import { fstatSync, readSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/**
 * Appends whole lines to a file. If the file's last line has no end, because a full disk or an editor left it so, a line break is written first.
 * @param file opened to read and to append
 * @throws if not all lines could be written
 */
export function appendLines (file: number, lines: string): void {
  const { size } = fstatSync(file)
  const last = Buffer.from('\n')
  if (size > 0) readSync(file, last, 0, 1, size - 1)
  writeFileSync(file, afterByte(last, lines))
}

/** Does the same without blocking the thread. */
export async function appendLinesLater (file: FileHandle, lines: string): Promise<void> {
  const { size } = await file.stat()
  const last = Buffer.from('\n')
  if (size > 0) await file.read(last, 0, 1, size - 1)
  await file.appendFile(afterByte(last, lines))
}

function afterByte (last: Buffer, lines: string): string {
  return last.toString() === '\n' ? lines : `\n${lines}`
}
