import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemCode } from '../errors/system-code.js'
import { accepted, type Decoded, refused } from './decoded.js'

/** The largest secret file. If the path names a wrong file, the error says so. */
const LIMIT_BYTES = 65_536

/** Reads a secret's text from a file, as Docker and Kubernetes mount them. A reason may contain the path, but never what was read. */
export function readSecretFile (path: string, directory = '.'): Decoded<string> {
  let bytes: Buffer
  try {
    bytes = readFileSync(resolve(directory, path))
  } catch (error) {
    return refused(`cannot be read (${systemCode(error) ?? String(error)}); name a file that holds the secret, and that tierhook may read`)
  }
  if (bytes.byteLength > LIMIT_BYTES) return refused(`has more than ${LIMIT_BYTES} bytes; is it the right one?`)
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '').trim()
  return text === '' ? refused('is empty; it should hold the secret') : accepted(text)
}
