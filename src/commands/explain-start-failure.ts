import { relative } from 'node:path'
import type { Settings } from '../config/settings.js'
import { errorCode } from '../errors/system-code.js'
import { OperatorListenerError } from '../composition/operator-listener.js'

function field (error: unknown, name: string): string | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
  return typeof value === 'string' ? value : undefined
}

/** Explains in one line why the service did not start, and what to do. */
export function explainStartFailure (error: unknown, settings: Settings): string {
  if (error instanceof OperatorListenerError) return explainListenFailure(error.cause, operatorListener(settings)) ?? explainOther(error.cause, settings)
  return explainListenFailure(error, publicListener(settings)) ?? explainOther(error, settings)
}

interface Listener {
  readonly host: string
  readonly port: number
  readonly hostName: 'HOST' | 'ADMIN_HOST'
  readonly portName: 'PORT' | 'ADMIN_PORT'
}

function publicListener ({ HOST, PORT }: Settings): Listener {
  return { host: HOST, port: PORT, hostName: 'HOST', portName: 'PORT' }
}

function operatorListener ({ ADMIN_HOST, ADMIN_PORT }: Settings): Listener {
  return { host: ADMIN_HOST, port: ADMIN_PORT, hostName: 'ADMIN_HOST', portName: 'ADMIN_PORT' }
}

function explainListenFailure (error: unknown, { host, port, hostName, portName }: Listener): string | undefined {
  const code = errorCode(error)
  const address = `${host}:${port}`
  if (code === 'EADDRINUSE') return `Cannot listen at ${address}: another program listens there. Stop it, or set ${portName} to another port${portName === 'ADMIN_PORT' ? ', or to 0, which turns the operator\'s listener off' : ''}.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `Cannot listen at ${address}: this machine has no such address. Set ${hostName} to one of its own, or to 0.0.0.0 for all.`
  }
  if (code === 'EACCES' && field(error, 'syscall') === 'listen') {
    return `Cannot listen at ${address}: ports below 1024 need a privilege. Set ${portName} to a higher port.`
  }
  return undefined
}

function explainOther (error: unknown, settings: Settings): string {
  const code = errorCode(error)
  const path = field(error, 'path')
  if (code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_DLOPEN_FAILED') {
    return 'Cannot load SQLite: this Node.js has none that is new enough, and the SQLite package is native code, which cannot be loaded here. ' +
      `Start without --no-addons, run "npm ci" on this machine, or use Node.js 24 (${error instanceof Error ? error.message : code})`
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(code)) {
    const inside = path === undefined || !relative(settings.DATA_DIR, path).startsWith('..')
    if (!inside) return `Cannot write ${path} (${code}). Give this user the right to write there, or name another file.`
    return `Cannot write ${path ?? settings.DATA_DIR} (${code}). Make DATA_DIR (${settings.DATA_DIR}) a directory with room that this user may write to.`
  }
  return `Cannot start: ${error instanceof Error ? error.message : String(error)}`
}
