import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import { databasePath } from '../../src/journal/sqlite/database.js'
import { createWriter } from '../../src/journal/sqlite/writer.js'
import { freePort } from '../cli/harness.js'
import { eventually } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'
import { locateEvent } from '../../src/voucherify/event-text.js'

const DELIVERIES = 20_000

/** A store with deliveries that have all been forwarded. */
function fillStore (dataDir: string): void {
  const path = databasePath(dataDir)
  const writer = createWriter({ now: Date.now, locateEvent })
  writer.open({ path, dedupeWindowMs: 86_400_000, withdrawn: [] })
  writer.close()
  const db = connect(path)
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${DELIVERIES})
    INSERT INTO deliveries (sequence, id, received_at, event_type, verdict, hold, headers, body_bytes, checksum)
    SELECT i, printf('%08x-0000-7000-8000-000000000000', i), 1, 'customer.loyalty.tier.left', 'valid', 0, '{}', 0, 0 FROM n`)
  db.close()
  writer.open({ path, dedupeWindowMs: 86_400_000, withdrawn: [] })
  writer.registerFeed({ forwarder: 'file', cursor: DELIVERIES })
  writer.close()
}

t.test('webhooks are accepted while the operator\'s thread has its hands full', async t => {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  fillStore(dataDir)
  const port = await freePort()
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(port) })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const list = async (): Promise<{ next: string | null }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/deliveries?customerId=nobody&eventType=*x*y*`)
    return response.json() as Promise<{ next: string | null }>
  }
  await list()
  let overtook = false
  // A disk that is busy may take longer than all of the lists. A webhook that waited for them would never be quicker.
  for (let round = 0; !overtook && round < 20; round++) {
    let done = 0
    const lists = Array.from({ length: 60 }, async () => {
      const page = await list()
      done++
      return page
    })
    await eventually(() => done > 0 ? true : undefined, 'the first list')
    t.equal((await postEvent(service.url, `ev_meanwhile_${round}`)).status, 202)
    overtook = done < lists.length
    t.comment(`it was on disk when ${done} of ${lists.length} lists were done`)
    t.ok((await Promise.all(lists)).every(({ next }) => next === null))
  }
  t.ok(overtook)

  const health = await fetch(`${service.url}/health/live`)
  t.equal(health.status, 200)
  t.equal(await service.kill('SIGTERM'), 0)
})

t.test('the description can be had without a service and without a configuration', async t => {
  const child = spawn('env', [...plainNode, program, 'openapi'], { cwd: t.testdir(), env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const code = await new Promise(resolve => { child.on('close', resolve) })
  t.equal(code, 0)
  t.match(JSON.parse(text), { openapi: '3.1.0', paths: { '/webhooks': Object, '/api/deliveries': Object } })
})
