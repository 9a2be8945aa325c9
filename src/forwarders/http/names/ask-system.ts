import { lookup } from 'node:dns'
import type { Found } from './look-up.js'

/** The most look-ups of the C library at once. By default, Node runs no more than this in the whole process. */
const MAX_AT_ONCE = 2
const FRESH_MS = 1000

/**
 * Makes a function that asks the C library (getaddrinfo). Parallel calls for a name share one look-up. The C library knows more sources
 * than the DNS servers, such as mDNS or LDAP, but a look-up holds a thread until its end and cannot be stopped.
 */
export function createAskSystem (lookUp: (name: string) => Promise<Found> = addressesOf): (name: string) => Promise<Found> {
  const asked = new Map<string, Promise<Found>>()
  const waiting: Array<() => void> = []
  let running = 0

  async function ask (name: string): Promise<Found> {
    if (running < MAX_AT_ONCE) running++
    else await new Promise<void>((resolve) => { waiting.push(resolve) })
    try {
      return await lookUp(name)
    } finally {
      const next = waiting.shift()
      // The next look-up takes over this one's slot.
      if (next === undefined) running--
      else next()
    }
  }

  return async (name) => {
    const known = asked.get(name)
    if (known !== undefined) return await known
    const answer = ask(name).finally(() => { asked.delete(name) })
    asked.set(name, answer)
    return await answer
  }
}

async function addressesOf (name: string): Promise<Found> {
  return await new Promise((resolve, reject) => {
    lookup(name, { all: true }, (error, addresses) => {
      if (error !== null) reject(error)
      else resolve({ addresses: addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })), freshMs: FRESH_MS })
    })
  })
}
