import type { Settings } from '../config/settings.js'
import { errorCode } from './error-code.js'

function field (error: unknown, name: string): string | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
  return typeof value === 'string' ? value : undefined
}

/** Says in one line why the service did not start, and what to do. */
export function explainStartFailure (error: unknown, settings: Settings): string {
  const code = errorCode(error)
  const address = `${settings.HOST}:${settings.PORT}`
  const path = field(error, 'path')
  if (code === 'EADDRINUSE') return `Cannot listen at ${address}: something else does. Stop it, or set PORT to another port.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `Cannot listen at ${address}: this machine has no such address. Set HOST to one of its own, or to 0.0.0.0 for all.`
  }
  if (code === 'EACCES' && field(error, 'syscall') === 'listen') {
    return `Cannot listen at ${address}: ports below 1024 need a privilege. Set PORT to a higher port.`
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(code)) {
    return `Cannot write ${path ?? settings.DATA_DIR} (${code}). Make DATA_DIR (${settings.DATA_DIR}) a directory with room that this user may write to.`
  }
  return `Cannot start: ${error instanceof Error ? error.message : String(error)}`
}
