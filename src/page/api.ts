/** An answer of the service that is not a success. */
export class ApiError extends Error {
  readonly status: number

  constructor (status: number, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

const TOKEN = 'tierhook-admin-token'

/** Keeps the token while the tab is open. It is sent only to this service. */
export function setToken (token: string): void {
  sessionStorage.setItem(TOKEN, token)
}

export function hasToken (): boolean {
  return sessionStorage.getItem(TOKEN) !== null
}

export function authorization (): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN)
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** @throws {ApiError} for an answer that is not a success; TypeError if there is no answer */
export async function get<T> (path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value))
  const url = search.size === 0 ? path : `${path}?${search.toString()}`
  return await readAnswer<T>(await fetch(url, { headers: authorization(), ...(signal === undefined ? {} : { signal }) }))
}

/** @throws {ApiError} */
export async function post<T> (path: string, body: unknown): Promise<T> {
  return await readAnswer<T>(await fetch(path, { method: 'POST', headers: { ...authorization(), 'content-type': 'application/json' }, body: JSON.stringify(body) }))
}

async function readAnswer<T> (response: Response): Promise<T> {
  if (response.ok) return await response.json() as T
  throw new ApiError(response.status, await problemOf(response))
}

async function problemOf (response: Response): Promise<string> {
  try {
    const { detail, title } = await response.json() as { detail?: unknown, title?: unknown }
    return typeof detail === 'string' ? detail : typeof title === 'string' ? title : `status ${response.status}`
  } catch {
    // A proxy answered instead of the service.
    return `status ${response.status}`
  }
}
