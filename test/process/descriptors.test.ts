import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const REQUESTS = 1000
/** Counts the listener's connections too. */
const MORE_AT_MOST = 40

t.test('a thousand requests of an operator leave no file descriptors open', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  const port = await freePort()
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(port) })
  t.teardown(async () => { await service.kill('SIGKILL') })
  for (let each = 0; each < 5; each++) t.equal((await postEvent(service.url, `ev_${each}`)).status, 202)
  const api = async (path: string, init?: RequestInit): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return await response.json()
  }
  const { deliveries: items } = await api('/api/deliveries') as { deliveries: Array<{ id: string }> }
  t.equal(items.length, 5)
  const descriptors = (): number => readdirSync(`/proc/${service.child.pid}/fd`).length
  const before = descriptors()
  const paths = ['/api/deliveries', `/api/deliveries/${items[0]?.id}`, '/api/dead-letters', '/api/quarantine', '/api/forwarders']
  for (let request = 0; request < REQUESTS; request++) await api(paths[request % paths.length] ?? '/')
  for (let replay = 0; replay < 20; replay++) {
    await api(`/api/deliveries/${items[0]?.id}/replay`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  }
  const more = descriptors() - before
  t.ok(more <= MORE_AT_MOST, `${more} more than before`)
  t.equal((await postEvent(service.url, 'ev_after')).status, 202)
})
