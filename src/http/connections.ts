import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { within } from '../delivery/within.js'
import { addressGroup } from './address-group.js'

export interface ConnectionLimits {
  /** How many connections may be open at once. */
  readonly open: number
  /** How many requests are answered on one connection. */
  readonly requests: number
  /** How many requests of one connection may wait for their answers. */
  readonly unanswered: number
}

/** Far more than the sender and any proxy need, and less than would take much memory. */
export const CONNECTION_LIMITS: ConnectionLimits = { open: 1000, requests: 100_000, unanswered: 20 }

/** How long a client has to close its side of a connection that we have closed ours of, in milliseconds. */
const LINGER_MS = 1000
/** How much of a body is read after its request was refused, in bytes. */
const LINGER_BYTES = 65_536

/** Keeps the connections of a server within limits, so that nobody can take them all, or keep the thread busy through one. */
export interface Connections {
  readonly watch: (server: Server) => void
  /** Makes this answer the last one on its connection, and has nothing read of what comes behind its request. To be called before it is sent. */
  readonly endAfter: (request: IncomingMessage, response: ServerResponse) => void
  /** Whether the last request of the connection has been read. */
  readonly hasEnded: (socket: Socket) => boolean
  /** Resolves once none is open any more of those that are now, and after so many milliseconds at the latest. */
  readonly closed: (limitMs: number) => Promise<void>
}

interface Connection {
  readonly socket: Socket
  requests: number
  unanswered: number
  /** The one that came last; `undefined` before the first. */
  latest: IncomingMessage | undefined
  ended: boolean
}

/** @param onEvicted told of each connection that is closed to make room, by the address at its other end */
export function createConnections (limits: ConnectionLimits, onEvicted: (address: string | undefined) => void): Connections {
  const all = new Map<Socket, Connection>()
  /** By address; of each, what has been idle for longest comes first. */
  const groups = new Map<string, Set<Connection>>()

  function opened (socket: Socket): void {
    const connection: Connection = { socket, requests: 0, unanswered: 0, latest: undefined, ended: false }
    const address = addressGroup(socket.remoteAddress)
    const group = groups.get(address) ?? new Set()
    groups.set(address, group.add(connection))
    all.set(socket, connection)
    socket.on('close', () => {
      all.delete(socket)
      group.delete(connection)
      if (group.size === 0) groups.delete(address)
    })
    if (all.size > limits.open) makeRoom(connection)
  }

  /** Whoever has the most connections loses one: somebody who opens a thousand takes them from himself. */
  function makeRoom (newest: Connection): void {
    let largest: ReadonlySet<Connection> = new Set()
    for (const group of groups.values()) if (group.size > largest.size) largest = group
    const others = [...largest].filter((connection) => connection !== newest)
    // What is being stored must get its answer. There may be nothing else.
    const { socket } = others.find(isOver) ?? others.find(isIdle) ?? others.find(isIncomplete) ?? newest
    onEvicted(socket.remoteAddress)
    socket.destroy()
  }

  function began (request: IncomingMessage, response: ServerResponse): void {
    const connection = all.get(request.socket)
    if (connection === undefined) return
    connection.latest = request
    connection.requests++
    connection.unanswered++
    response.once('close', () => { answered(connection) })
    if (connection.requests >= limits.requests || connection.unanswered >= limits.unanswered) endAfter(request, response)
  }

  function answered (connection: Connection): void {
    connection.unanswered--
    const group = groups.get(addressGroup(connection.socket.remoteAddress))
    if (connection.unanswered > 0 || group?.delete(connection) !== true) return
    group.add(connection)
  }

  function endAfter (request: IncomingMessage, response: ServerResponse): void {
    if (!response.headersSent) response.setHeader('connection', 'close')
    const { socket } = request
    const connection = all.get(socket)
    if (connection !== undefined) connection.ended = true
    readNoFurther(socket)
    closeGently(socket, request)
  }

  return {
    watch (server) {
      server.on('connection', opened)
      server.prependListener('request', began)
    },
    endAfter,
    hasEnded: (socket) => all.get(socket)?.ended ?? false,
    async closed (limitMs) {
      const closing = [...all.keys()].map(async (socket) => await new Promise<void>((resolve) => { socket.once('close', () => { resolve() }) }))
      await within(limitMs, Promise.all(closing))
      // What had arrived while the time ran out is read before somebody closes a connection for being idle.
      await nextTurn()
    }
  }
}

function isOver ({ unanswered, ended }: Connection): boolean {
  return ended && unanswered === 0
}

function isIdle ({ unanswered }: Connection): boolean {
  return unanswered === 0
}

/** Whether it still sends a request, and waits for no other: so nothing of it is being stored. */
function isIncomplete ({ unanswered, latest }: Connection): boolean {
  return unanswered === 1 && latest?.complete === false
}

/** What we use of node's HTTP parser, which has no documentation. A version without it would still be correct, but slower under a flood. */
interface Parser {
  onIncoming?: () => number
  readonly pause?: () => void
}

function parserOf (socket: Socket): Parser | undefined {
  const parser: unknown = Reflect.get(socket, 'parser')
  return typeof parser === 'object' && parser !== null ? parser : undefined
}

/** What node's HTTP parser takes for: nothing behind this head is HTTP. */
const NOT_HTTP_ANY_MORE = 2

/**
 * Has the parser stop at the next request. By itself node reads 64 KiB at a time and makes a request of each of the 3,600 that fit
 * into it, which takes a tenth of a second or more, however soon the connection is closed. There is no documented way to stop it.
 */
function readNoFurther (socket: Socket): void {
  const parser = parserOf(socket)
  if (parser === undefined) return
  parser.onIncoming = () => {
    socket.pause()
    return NOT_HTTP_ANY_MORE
  }
}

/**
 * Closes the connection in one direction with the last answer, and altogether once the client has closed its own, or after a while. A
 * connection that is closed while something on it is unread is reset, and the client may then never see its answer (RFC 9112, section 9.6).
 */
function closeGently (socket: Socket, request: IncomingMessage): void {
  const closeOnceWritten = socket.destroySoon.bind(socket)
  // Node calls it when the last answer is on its way.
  socket.destroySoon = () => {
    if (socket.readableEnded) {
      closeOnceWritten()
      return
    }
    socket.end()
    if (!request.complete) readLittle(socket)
    const timer = setTimeout(closeOnceWritten, LINGER_MS)
    socket.once('close', () => { clearTimeout(timer) })
    socket.once('end', closeOnceWritten)
  }
}

/**
 * What a client sends on of its body until it sees the answer is read, but not for as long as it likes, and without parsing: node takes some
 * microseconds for each chunk, and 64 KiB have room for 10,000.
 */
function readLittle (socket: Socket): void {
  parserOf(socket)?.pause?.()
  let left = LINGER_BYTES
  socket.on('data', ({ length }: Buffer) => {
    left -= length
    if (left < 0) socket.pause()
  })
}
