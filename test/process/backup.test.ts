import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const SENDERS = 8
const BACKUPS = 3

async function run (...args: string[]): Promise<{ code: number | null, stdout: string, stderr: string }> {
  const child = spawn('env', [...plainNode, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout, stderr }
}

/** The ids in all event files in a folder, whatever their names. */
function linesIn (dataDir: string): string[] {
  const names = existsSync(dataDir) ? readdirSync(dataDir).filter(name => /^events\.ndjson(?!\.beginning)/.test(name)) : []
  return names.flatMap(name => readFileSync(join(dataDir, name), 'utf8').split('\n')).filter(line => line.endsWith('}'))
}

async function eventIdsIn (dataDir: string): Promise<Set<string>> {
  const ids = new Set<string>()
  for (let before: string[] = []; ;) {
    const { stdout } = await run('deliveries', '--json', '--limit', '10000', '--data-dir', dataDir, ...before)
    const listed = stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as { id: string, eventId: string })
    for (const { eventId } of listed) ids.add(eventId)
    const last = listed.at(-1)
    if (last === undefined) return ids
    before = ['--before', last.id]
  }
}

t.test('backups under load have all events acknowledged before they began; after kill -9 the store has the rest, and a restored one serves', async t => {
  const folder = t.testdir({ data: {} })
  const acknowledged: string[] = []
  let served = await startServiceProcess(join(folder, 'data'))
  t.teardown(() => served.kill('SIGKILL'))
  let sent = 0
  for (let round = 0; round < BACKUPS; round++) {
    let sending = true
    const senders = Array.from({ length: SENDERS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      while (sending) {
        const eventId = `ev_${sent++}`
        const answer = await postEvent(served.url, eventId, agent).catch(() => undefined)
        if (answer?.status === 202) acknowledged.push(eventId)
      }
      agent.destroy()
    })
    const enough = acknowledged.length + 200
    while (acknowledged.length < enough) await new Promise(resolve => { setTimeout(resolve, 10) })
    const before = [...acknowledged]
    const file = join(folder, `backup-${round}.db`)
    const backup = await run('backup', file, '--data-dir', join(folder, 'data'))
    t.equal(backup.code, 0, backup.stderr)
    sending = false
    await served.kill('SIGKILL')
    await Promise.all(senders)

    const restored = join(folder, `restored-${round}`)
    mkdirSync(restored)
    writeFileSync(join(restored, 'events.ndjson'), readFileSync(join(folder, 'data', 'events.ndjson')))
    const restore = await run('restore', file, '--data-dir', restored)
    t.equal(restore.code, 0, restore.stderr)
    const inBackup = await eventIdsIn(restored)
    t.strictSame(before.filter(id => !inBackup.has(id)), [], 'each event acknowledged before the backup is in it')
    const verified = await run('verify', '--full', '--data-dir', restored)
    t.equal(verified.code, 0, verified.stdout)

    served = await startServiceProcess(join(folder, 'data'))
    const inStore = await eventIdsIn(join(folder, 'data'))
    t.strictSame(acknowledged.filter(id => !inStore.has(id)), [], 'each acknowledged event is in the store')
  }
  t.strictSame(readdirSync(folder).filter(name => name.includes('unfinished')), [])

  const dataDir = join(folder, `restored-${BACKUPS - 1}`)
  const lines = linesIn(dataDir)
  t.ok(lines.length > 0)
  const again = await startServiceProcess(dataDir)
  t.teardown(() => again.kill('SIGKILL'))
  const running = await run('restore', join(folder, 'backup-0.db'), '--data-dir', dataDir)
  t.equal(running.code, 1)
  t.match(running.stderr, 'Another tierhook serves')
  t.equal((await postEvent(again.url, 'ev_after')).status, 202)
  t.equal((await postEvent(again.url, acknowledged[0] ?? '')).status, 200, 'an event in the backup is still recognised as a duplicate')
  t.equal(await again.kill('SIGTERM'), 0)
  const kept = new Set(linesIn(dataDir))
  t.strictSame(lines.filter(line => !kept.has(line)), [], 'no line newer than the backup is removed')
})
