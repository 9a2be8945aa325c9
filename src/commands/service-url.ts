/**
 * The URL at which a client on this machine reaches a service that listens at `host`. An address that stands for every
 * address can be listened at but not connected to everywhere, so the loopback address takes its place.
 */
export function serviceUrl (host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (host === '::') return `http://[::1]:${port}`
  return host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`
}
