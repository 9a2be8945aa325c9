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

/** Far more than the sender and any proxy need, but few enough to take little memory. */
export const CONNECTION_LIMITS: ConnectionLimits = { open: 1000, requests: 100_000, unanswered: 20 }

/** How long a client may take to close its side of a connection after we have closed ours, in milliseconds. */
const LINGER_MS = 1000
/** How much of a body is read after its request was refused, in bytes. */
const LINGER_BYTES = 65_536

/** Limits the connections of a server, so that one client cannot take them all, or keep the thread busy through one of them. */
export interface Connections {
  readonly watch: (server: Server) => void
  /** Makes this answer the last one on its connection. Nothing that follows its request is read. Must be called before the answer is sent. */
  readonly endAfter: (request: IncomingMessage, response: ServerResponse) => void
  /** Whether the last request of the connection has been read. */
  readonly hasEnded: (socket: Socket) => boolean
  /** Resolves when all connections that are open now have closed, or after `limitMs` milliseconds. */
  readonly closed: (limitMs: number) => Promise<void>
}

interface Connection {
  readonly socket: Socket
  requests: number
  unanswered: number
  /** The latest request; `undefined` before the first. */
  latest: IncomingMessage | undefined
  ended: boolean
}

/** @param onEvicted called for each connection that is closed to make room, with the client's address */
export function createConnections (limits: ConnectionLimits, onEvicted: (address: string | undefined) => void): Connections {
  const all = new Map<Socket, Connection>()
  /** Connections by the group of their address. In each group, the connection that has been idle longest comes first. */
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

  /** Closes a connection of the address with the most connections. A client that opens a thousand loses its own. */
  function makeRoom (newest: Connection): void {
    let largest: ReadonlySet<Connection> = new Set()
    for (const group of groups.values()) if (group.size > largest.size) largest = group
    const others = [...largest].filter((connection) => connection !== newest)
    // A webhook that is being stored must get its answer, so such a connection is never closed. If there is no other, the newest is closed.
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
      // Let requests that arrived meanwhile be read before the caller closes idle connections.
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

/** Whether the connection is still sending its only open request, so that nothing of it is being stored. */
function isIncomplete ({ unanswered, latest }: Connection): boolean {
  return unanswered === 1 && latest?.complete === false
}

/**
 * The undocumented parts of node's HTTP parser that are used here. With a version that lacks them, the server is still correct, but slower under
 * a flood.
 */
interface Parser {
  onIncoming?: () => number
  readonly pause?: () => void
}

function parserOf (socket: Socket): Parser | undefined {
  const parser: unknown = Reflect.get(socket, 'parser')
  return typeof parser === 'object' && parser !== null ? parser : undefined
}

/** A return value for node's HTTP parser: nothing after this request's head is HTTP. */
const NOT_HTTP_ANY_MORE = 2

/**
 * Makes the parser stop at the next request. Otherwise node reads 64 KiB at a time and creates all 3,600 requests that fit into it. That takes a
 * tenth of a second or more, even if the connection is closed meanwhile. There is no documented way to stop it.
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
 * Closes our side of the connection after the last answer. Closes it completely when the client has closed its side, or after a while. Closing a
 * connection with unread data resets it, and the client may then never see its answer (RFC 9112, section 9.6).
 */
function closeGently (socket: Socket, request: IncomingMessage): void {
  const closeOnceWritten = socket.destroySoon.bind(socket)
  // Node calls this function when the last answer has been handed to the socket.
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
 * Reads what the client still sends of its body until it sees the answer, up to a limit. The parser is stopped, because it takes some
 * microseconds for each chunk, and 64 KiB can contain 10,000 chunks.
 */
function readLittle (socket: Socket): void {
  parserOf(socket)?.pause?.()
  let left = LINGER_BYTES
  socket.on('data', ({ length }: Buffer) => {
    left -= length
    if (left < 0) socket.pause()
  })
}
