import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Api = Record<string, (argument: never) => unknown>

/** The methods of a process's API. Each returns a promise of its result. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: P) => Promise<Awaited<R>> : never
}

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

type Reply =
  | { readonly id: number, readonly ok: true, readonly result: unknown }
  | { readonly id: number, readonly ok: false, readonly message: string }

/** A separate process that does part of a measurement. */
export interface Child<T> {
  readonly remote: Remote<T>
  /** Ends the process, by force if it takes too long. */
  readonly end: () => Promise<void>
}

export interface Children {
  /**
   * Starts `children/<name>`.
   * @param build the compiled files of another state of the sources; absent: these sources
   */
  readonly start: <T extends object>(name: string, build?: string) => Child<T>
  /** Ends all processes that still run. Idempotent. */
  readonly endAll: () => Promise<void>
}

const CALL_TIMEOUT_MS = 180_000
const END_TIMEOUT_MS = 10_000

/** @param profileDir where each process writes CPU profiles of its threads when it ends; `undefined`: no profiles */
export function createChildren (profileDir: string | undefined): Children {
  const running = new Set<Child<unknown>>()
  let started = 0

  function start<T extends object> (name: string, build?: string): Child<T> {
    const path = build === undefined ? fileURLToPath(new URL(`./children/${name}.js`, import.meta.url)) : join(build, 'bench/children', `${name}.js`)
    const worker = fork(path, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      execArgv: profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileDir, `${name}-${++started}`)}`]
    })
    const child: Child<T> = {
      remote: remoteOf<T>(worker, name),
      async end () {
        running.delete(child)
        if (worker.exitCode !== null || worker.signalCode !== null) return
        const exited = once(worker, 'exit')
        const timer = setTimeout(() => { worker.kill('SIGKILL') }, END_TIMEOUT_MS)
        // The process exits when its channel to this one closes.
        if (worker.connected) worker.disconnect()
        await exited
        clearTimeout(timer)
      }
    }
    running.add(child)
    return child
  }

  return {
    start,
    async endAll () { await Promise.all([...running].map(async (child) => { await child.end() })) }
  }
}

function remoteOf<T> (worker: ChildProcess, name: string): Remote<T> {
  const calls = new Map<number, { resolve: (result: unknown) => void, reject: (error: Error) => void }>()
  let lastId = 0
  worker.on('message', (message) => {
    const reply = message as Reply
    const call = calls.get(reply.id)
    calls.delete(reply.id)
    if (reply.ok) call?.resolve(reply.result)
    else call?.reject(new Error(`${name}: ${reply.message}`))
  })
  worker.once('exit', (code, signal) => {
    for (const { reject } of calls.values()) reject(new Error(`${name} has ended (${signal ?? code})`))
    calls.clear()
  })

  async function call (method: string, argument: unknown): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    const answered = new Promise<unknown>((resolve, reject) => {
      const id = ++lastId
      calls.set(id, { resolve, reject })
      timer = setTimeout(() => { reject(new Error(`${name} did not answer ${method} in time`)) }, CALL_TIMEOUT_MS)
      worker.send({ id, method, argument } satisfies Call)
    })
    return await answered.finally(() => { clearTimeout(timer) })
  }

  return new Proxy({}, { get: (_target, method) => async (argument: unknown) => await call(String(method), argument) }) as Remote<T>
}

/** Runs in the child process. Answers calls with the methods of `api`, and exits when the parent process is gone. */
export function serveParent (api: object): void {
  const methods = api as Api
  process.on('message', (message) => {
    const { id, method, argument } = message as Call
    answer(methods, method, argument).then(
      (result) => { process.send?.({ id, ok: true, result } satisfies Reply) },
      (error: unknown) => { process.send?.({ id, ok: false, message: error instanceof Error ? error.stack ?? error.message : String(error) } satisfies Reply) }
    )
  })
  process.once('disconnect', () => { process.exit() })
}

async function answer (methods: Api, method: string, argument: unknown): Promise<unknown> {
  return await methods[method]?.(argument as never)
}
