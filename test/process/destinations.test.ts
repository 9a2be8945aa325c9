import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer as createNetServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { httpDestination, listen } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const retries = { RETRY_MIN_MS: '20', RETRY_MAX_MS: '50' }

t.test('a destination that sends its address back: its path and query appear only in the configuration', async (t) => {
  const dataDir = t.testdir()
  const path = '/kanarie-one/T%C3%A9-kanarie%20two?kanarie-three=kanarie%2Ffour&kanarie-five'
  const spellings = [
    path, decodeURIComponent(path), encodeURIComponent(path), encodeURIComponent(encodeURIComponent(path)), path.toUpperCase(), JSON.stringify(decodeURIComponent(path)).replaceAll('/', '\\/'),
    path.replaceAll('&', '&amp;'), path.replaceAll('-', '&#45;'), path.replaceAll('%20', '+'), path.replaceAll('a', '\\u0061'), `${' '.repeat(2020)}${path}`
  ]
  let answers = 0
  const destination = await httpDestination(t, (_request, response) => {
    const text = spellings[answers++ % spellings.length] ?? ''
    response.writeHead(answers > spellings.length ? 410 : 500, { location: path, 'x-path': path }).end(`Cannot POST ${text} and ${text.trim().slice(0, 25)}`)
  })
  const port = await freePort()
  const environment = { ADMIN_PORT: String(port), LOG_LEVEL: 'trace', FORWARDERS: 'http', HTTP_FORWARDER_URL: `${destination.url.slice(0, -1)}${path}`, ...retries }
  const service = await startServiceProcess(dataDir, environment)
  t.teardown(async () => { await service.kill('SIGKILL') })
  const { id } = JSON.parse((await postEvent(service.url, 'ev_1')).body) as { id: string }
  const api = async (resource: string): Promise<string> => await (await fetch(`http://127.0.0.1:${port}${resource}`)).text()
  const dead = await eventually(async () => {
    const text = await api('/api/dead-letters')
    return text.includes(id) ? text : undefined
  }, 'the dead letter')
  t.ok(answers > spellings.length)
  const shown = await Promise.all(['/api/deliveries', `/api/deliveries/${id}`, '/api/forwarders', '/api/status', '/metrics'].map(api))
  const checked = execFileSync('env', [...plainNode, program, 'check'], { cwd: dataDir, env: { PATH: process.env['PATH'], ...environment }, encoding: 'utf8' })
  const command = execFileSync('env', [...plainNode, program, 'show', id], { cwd: dataDir, env: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir }, encoding: 'utf8' })
  t.equal(await service.kill('SIGTERM'), 0)
  const files = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name), 'latin1'))
  t.ok(files.some((text) => text.includes('Cannot POST [hidden]')), 'the answer is stored with the secret hidden')
  for (const text of [dead, ...shown, checked, command, service.log(), ...files]) t.notMatch(text, /kanarie|k%61narie|kan\\u0061rie/i)
})

t.test('a destination that answers 100 first, or 204 with a length, gets each event once', async (t) => {
  const dataDir = t.testdir()
  for (const answer of ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n']) {
    let requests = ''
    const { port } = await listen(t, createNetServer((socket) => {
      socket.on('data', (chunk) => {
        requests += chunk.toString('latin1')
        if (requests.endsWith('}')) socket.write(answer)
      })
    }))
    const service = await startServiceProcess(dataDir, { FORWARDERS: 'http,log', HTTP_FORWARDER_URL: `http://127.0.0.1:${port}/`, ...retries })
    t.teardown(async () => { await service.kill('SIGKILL') })
    for (let index = 0; index < 10; index++) await postEvent(service.url, `ev_${port}_${index}`)
    const ids = await eventually(() => {
      const found = requests.match(/(?<=webhook-id: )\S+/g) ?? []
      return new Set(found).size === 10 ? found : undefined
    }, 'all events')
    // A delivery that was not taken would come again before the service has stopped, or after the next start.
    t.equal(await service.kill('SIGTERM'), 0)
    t.equal(ids.length, 10)
    t.notMatch(service.log(), 'attempt failed')
  }
})
