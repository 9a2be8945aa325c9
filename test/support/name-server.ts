import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'

/** A name server's reaction to a question: addresses, of which those of the requested family are sent, an error, or silence. */
export type NameAnswer = readonly string[] | 'unknown' | 'fails' | 'silent'

export interface NameServer {
  /** The address for a resolver of Node. */
  readonly address: string
  /** The questions so far, such as `crm.example A`. */
  readonly asked: readonly string[]
  readonly close: () => void
}

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' }
const SERVFAIL = 2
const NXDOMAIN = 3
const TTL_SECONDS = 1

/**
 * Starts a DNS server on this machine, which answers as the test decides.
 * @param answer gets a full name in lower case and the requested type
 */
export async function startNameServer (answer: (name: string, type: 'A' | 'AAAA') => NameAnswer, { address = '127.0.0.1', port = 0 } = {}): Promise<NameServer> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (question, { address, port }) => {
    const { name, end } = readName(question)
    const type = TYPES[question.readUInt16BE(end)]
    const told = type === undefined ? [] : answer(name, type)
    asked.push(`${name} ${type ?? 'other'}`)
    if (told === 'silent') return
    const addresses = typeof told === 'string' ? [] : told.filter((each) => isIPv4(each) === (type === 'A'))
    const code = told === 'unknown' ? NXDOMAIN : told === 'fails' ? SERVFAIL : 0
    socket.send(reply(question.subarray(0, end + 4), code, addresses), port, address)
  })
  socket.bind(port, address)
  await once(socket, 'listening')
  return { address: `${address}:${socket.address().port}`, asked, close: () => { socket.close() } }
}

/** Reads the name after the header. Returns the name and where it ends. */
function readName (question: Buffer): { readonly name: string, readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = question.readUInt8(at); length > 0; length = question.readUInt8(at)) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function reply (question: Buffer, code: number, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(addresses.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, ...addresses.map(record)])
}

/** Makes a record. Its name refers to the one in the question, which is at byte 12. */
function record (address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address)
  const fixed = Buffer.alloc(12)
  fixed.writeUInt16BE(0xC00C, 0)
  fixed.writeUInt16BE(data.length === 4 ? 1 : 28, 2)
  fixed.writeUInt16BE(1, 4)
  fixed.writeUInt32BE(TTL_SECONDS, 6)
  fixed.writeUInt16BE(data.length, 10)
  return Buffer.concat([fixed, data])
}

function ipv6Bytes (address: string): Buffer {
  const [before = '', after = ''] = address.split('::')
  const groups = (text: string): string[] => text === '' ? [] : text.split(':')
  const missing = 8 - groups(before).length - groups(after).length
  const all = [...groups(before), ...Array<string>(missing).fill('0'), ...groups(after)]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

export interface SystemNames {
  /** A command prefix that runs another command with these names, in its own place. */
  readonly wrapper: readonly string[]
  readonly server: NameServer
}

/**
 * Starts a name server, and makes a command prefix that lets a process use it as the system's, with a hosts file of its own. Returns `undefined`
 * without the rights: this needs root and Linux.
 * @param folder where the files are written
 */
export async function systemNames (folder: string, answer: (name: string, type: 'A' | 'AAAA') => NameAnswer): Promise<SystemNames | undefined> {
  const address = '127.0.0.53'
  const files = { hosts: '127.0.0.1 localhost well.example\n', 'resolv.conf': `nameserver ${address}\nsearch shop.svc.cluster.local\noptions ndots:5\n` }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const mounts = Object.keys(files).map((name) => `mount --bind '${join(folder, name)}' /etc/${name}`).join(' && ')
  const wrapper = ['unshare', '-m', 'sh', '-c', `${mounts} && exec "$@"`, 'sh']
  try {
    const [command = '', ...args] = [...wrapper, 'true']
    execFileSync(command, args, { stdio: 'ignore' })
    return { wrapper, server: await startNameServer(answer, { address, port: 53 }) }
  } catch {
    // No right to mount, no right to the port of name servers, or the port is in use.
    return undefined
  }
}
