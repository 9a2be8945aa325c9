import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

/**
 * A command that runs the following command with these addresses for `localhost`. `undefined` without the needed rights: it needs root and Linux.
 */
function withLocalhost (t: Test, addresses: readonly string[]): readonly string[] | undefined {
  const hosts = join(t.testdir({ data: {} }), 'hosts')
  writeFileSync(hosts, addresses.map((address) => `${address} localhost\n`).join(''))
  const wrapper = ['unshare', '-m', 'sh', '-c', `mount --bind '${hosts}' /etc/hosts && exec "$@"`, 'sh']
  try {
    const [command = '', ...args] = [...wrapper, 'true']
    execFileSync(command, args, { stdio: 'ignore' })
    return wrapper
  } catch {
    t.comment('localhost as this machine has it: another hosts file takes the right to mount')
    return undefined
  }
}

async function reach (t: Test, host: string, port: number): Promise<Socket | undefined> {
  const socket = connect({ host, port })
  t.teardown(() => { socket.destroy() })
  return await new Promise((resolve) => {
    socket.once('connect', () => { resolve(socket) })
    socket.once('error', () => { resolve(undefined) })
  })
}

/** The answer, after the other side has closed the connection. */
async function exchange (socket: Socket, text: string): Promise<string> {
  let answer = ''
  socket.on('data', (chunk) => { answer += chunk.toString() })
  socket.write(text)
  await new Promise((resolve) => { socket.once('close', resolve) })
  return answer
}

t.test('HOST=localhost: the limits hold at whichever of its two addresses the service listens on', async (t) => {
  const wrapper = withLocalhost(t, ['::1', '127.0.0.1'])
  const adminPort = await freePort()
  const service = await startServiceProcess(join(t.testdirName, 'data'), { HOST: 'localhost', ADMIN_HOST: 'localhost', ADMIN_PORT: String(adminPort) }, () => {}, wrapper)
  t.teardown(async () => { await service.kill('SIGKILL') })
  const ports = { public: Number(new URL(service.url).port), operator: adminPort }
  await Promise.all(Object.entries(ports).flatMap(([name, port]) => ['127.0.0.1', '::1'].map(async (host) => {
    const place = `${name}, at ${host}`
    const rubbish = await reach(t, host, port)
    if (rubbish === undefined) {
      t.not(host, '127.0.0.1', `${place}: no listener`)
      return
    }
    t.match(await exchange(rubbish, 'rubbish\r\n\r\n'), /^HTTP\/1\.1 400 [^]*application\/problem\+json/, `${place}: bytes that are not HTTP`)
    const slow = await reach(t, host, port)
    t.match(slow && await exchange(slow, 'POST /webhooks HTTP/1.1\r\nHost: localhost\r\nX-A:'), /^HTTP\/1\.1 408 [^]*application\/problem\+json/, `${place}: a request that never ends`)
    const many = await reach(t, host, port)
    const answers = many && await exchange(many, 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50))
    t.ok((answers ?? '').split('HTTP/1.1 ').length - 1 <= 20, `${place}: fifty requests at once`)
  })))
})

t.test('HOST=localhost listens on IPv6 if the name has only an IPv6 address', async (t) => {
  const wrapper = withLocalhost(t, ['::1'])
  if (wrapper === undefined) return
  const service = await startServiceProcess(join(t.testdirName, 'data'), { HOST: 'localhost' }, () => {}, wrapper)
  t.teardown(async () => { await service.kill('SIGKILL') })
  t.equal(new URL(service.url).hostname, '[::1]')
  t.equal((await postEvent(service.url, 'ev_1')).status, 202)
})
