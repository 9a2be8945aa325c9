import { appendFileSync } from 'node:fs'
import { register } from 'node:module'

// Run by --import: notes in the file that NOTE_LOADED_IN names all that a program loads, and its threads, one URL a line.
const path = process.env.NOTE_LOADED_IN
// The hooks are this file once more, in a thread of their own, which has been given the path.
if (path !== undefined) register(import.meta.url, { data: path })

let notes

export function initialize (data) {
  notes = data
}

export async function load (url, context, nextLoad) {
  appendFileSync(notes, `${url}\n`)
  return await nextLoad(url, context)
}
