import { appendFileSync, chownSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { actionListPath, addToActionList, olderActionListPath } from '../../src/admin-api/action-list-file.js'
import { createActionList, type ActionListOptions } from '../../src/admin-api/action-list.js'
import type { RecordedAction } from '../../src/admin-api/operator-action.js'
import { captureLog } from '../support/capture-log.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { mountedFolder } from '../support/small-disk.js'

const at = '2026-03-05T10:00:00.000Z'
const command = (count: number): RecordedAction => ({ at, via: 'command', user: 'anna', action: 'prune', count })
const own = (count: number): RecordedAction => ({ at, via: 'listener', sourceAddress: '192.0.2.7', token: 'admin', action: 'read', count })

function setUp (t: Test, { dataDir = t.testdir(), ...options }: Partial<ActionListOptions> = {}) {
  const log = captureLog()
  const list = createActionList({ dataDir, logger: log.logger, everyMs: 5, ...options })
  t.teardown(list.close)
  const counts = (): unknown[] => log.find('operator action').map(({ count }) => count)
  /** Resolves when the log has all actions that commands add to the list from then on. */
  async function begin (): Promise<void> {
    list.start()
    list.add(own(0))
    await eventuallyTrue(() => existsSync(actionListPath(dataDir)) && readFileSync(actionListPath(dataDir), 'utf8').endsWith(`${JSON.stringify(own(0))}\n`), 'the service\'s own line')
  }
  return { dataDir, log, list, counts, begin }
}

t.test('a running service logs the actions of commands, and does not log its own actions twice', async (t) => {
  const { dataDir, log, list, counts, begin } = setUp(t)
  addToActionList(dataDir, command(1))
  await begin()
  addToActionList(dataDir, command(3))
  appendFileSync(actionListPath(dataDir), 'no JSON\n{"at":"x","via":"command","user":"anna","action":"unheard of"}\n\n[]\n')
  addToActionList(dataDir, command(4))
  await eventuallyTrue(() => counts().length === 2, 'the commands\' lines')
  t.strictSame(counts(), [3, 4], 'lines written before the start are not logged')
  t.match(log.find('operator action')[0], { level: 30, at, via: 'command', user: 'anna', action: 'prune' })
  addToActionList(dataDir, command(5))
  await list.close()
  t.strictSame(counts(), [3, 4, 5], 'close() reads the list once more')
  t.equal(statSync(actionListPath(dataDir)).mode & 0o777 & ~0o640, 0, 'only the owner and the group have access')
})

t.test('a long list is set aside, and no line is lost or reported twice', async (t) => {
  const { dataDir, counts, begin } = setUp(t, { largestBytes: 2000 })
  await begin()
  for (let count = 0; count < 200; count++) {
    addToActionList(dataDir, command(count))
    if (count % 10 === 9) await eventuallyTrue(() => counts().length === count + 1, `line ${count}`)
  }
  t.strictSame(counts(), Array.from({ length: 200 }, (_, count) => count))
  t.ok(existsSync(olderActionListPath(dataDir)))
  const bytes = [actionListPath(dataDir), olderActionListPath(dataDir)].filter((path) => existsSync(path)).reduce((sum, path) => sum + statSync(path).size, 0)
  t.ok(bytes < 10_000, `${bytes} bytes of ${200 * JSON.stringify(command(100)).length}`)
})

t.test('a line that a command still writes to the list that was just set aside is reported too', async (t) => {
  const { dataDir, counts, begin } = setUp(t, { largestBytes: 500, everyMs: 200 })
  await begin()
  for (let count = 0; count < 10; count++) addToActionList(dataDir, command(count))
  await eventuallyTrue(() => existsSync(olderActionListPath(dataDir)), 'the list to be renamed')
  appendFileSync(olderActionListPath(dataDir), `${JSON.stringify(command(10))}\n`)
  addToActionList(dataDir, command(11))
  await eventuallyTrue(() => counts().length === 12, 'all lines')
  t.strictSame(counts(), Array.from({ length: 12 }, (_, count) => count))
})

t.test('after the list was cut, removed or replaced, its reading continues', async (t) => {
  const { dataDir, counts, begin } = setUp(t)
  await begin()
  addToActionList(dataDir, command(1))
  await eventuallyTrue(() => counts().length === 1, 'the first line')
  truncateSync(actionListPath(dataDir), 0)
  await eventually(() => {
    addToActionList(dataDir, command(2))
    return counts().includes(2) ? true : undefined
  }, 'a line written after the cut')
  renameSync(actionListPath(dataDir), join(dataDir, 'elsewhere'))
  addToActionList(dataDir, command(3))
  await eventuallyTrue(() => counts().includes(3), 'a line of the new file')
})

t.test('a list that cannot be written or read is reported once, and used again when it can', async (t) => {
  const { dataDir, log, list, counts } = setUp(t)
  mkdirSync(actionListPath(dataDir))
  list.start()
  list.add(own(1))
  list.add(own(2))
  await eventuallyTrue(() => log.find('operator actions not kept').length > 0, 'the error')
  rmdirSync(actionListPath(dataDir))
  list.add(own(3))
  addToActionList(dataDir, command(4))
  await eventuallyTrue(() => counts().length === 1, 'the command\'s line')
  await list.close()
  t.match(log.find('operator actions not kept'), [{ level: 50, path: actionListPath(dataDir), err: { code: 'EISDIR' } }])
  const kept = readFileSync(actionListPath(dataDir), 'utf8').split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as RecordedAction).count)
  // The second line may or may not have been written before the folder was removed.
  t.strictSame(kept.filter((count) => count !== 2).sort(), [3, 4])
})

t.test('a command\'s line that a full disk cuts off is reported, and does not take the next line with it', async (t) => {
  const dataDir = mountedFolder(t, 'size=64k')
  if (dataDir === undefined) return t.comment('no right to mount: skipped')
  const { list } = setUp(t, { dataDir })
  addToActionList(dataDir, command(0))
  try {
    writeFileSync(join(dataDir, 'filler'), Buffer.alloc(65_536))
  } catch {
    // The disk is full, as intended.
  }
  let kept = 1
  t.throws(() => { for (; kept < 1000; kept++) addToActionList(dataDir, command(kept)) }, { code: 'ENOSPC' })
  rmSync(join(dataDir, 'filler'))
  list.add(own(1001))
  t.strictSame((await list.recent(100)).map(({ count }) => count), [1001, ...Array.from({ length: kept }, (_, index) => kept - 1 - index)])
  truncateSync(actionListPath(dataDir), statSync(actionListPath(dataDir)).size - 5)
  addToActionList(dataDir, command(1002))
  t.strictSame((await list.recent(2)).map(({ count }) => count), [1002, kept - 1])
})

t.test('a list whose file cannot be inspected is reported once', async (t) => {
  const folder = t.testdir({ data: 'a file' })
  const { log, list } = setUp(t, { dataDir: join(folder, 'data') })
  list.start()
  const unread = (): readonly unknown[] => log.find('operator actions of commands not read')
  await eventuallyTrue(() => unread().length > 0, 'the error')
  await list.close()
  t.match(unread(), [{ level: 50, err: { code: 'ENOTDIR' } }])
})

t.test('a link in place of the list is not followed: a command of root would write to its target', async (t) => {
  const { dataDir, log, list, counts } = setUp(t)
  const elsewhere = join(dataDir, 'elsewhere')
  writeFileSync(elsewhere, '')
  symlinkSync(elsewhere, actionListPath(dataDir))
  t.throws(() => { addToActionList(dataDir, command(1)) }, { code: 'ELOOP' })
  list.start()
  list.add(own(2))
  await eventuallyTrue(() => log.find('operator actions not kept').length > 0, 'the error')
  appendFileSync(elsewhere, `${JSON.stringify(command(3))}\n`)
  await list.close()
  t.equal(readFileSync(elsewhere, 'utf8'), `${JSON.stringify(command(3))}\n`)
  t.strictSame(counts(), [])
})

t.test('a list that root creates belongs to the owner of the folder', { skip: process.getuid?.() !== 0 && 'only root can give a file away' }, async (t) => {
  const dataDir = t.testdir({ own: '{"an":"older line"}\n' })
  chownSync(dataDir, 1234, 1234)
  addToActionList(dataDir, command(1))
  t.match(statSync(actionListPath(dataDir)), { uid: 1234, gid: 1234 })
  rmSync(actionListPath(dataDir))
  linkSync(join(dataDir, 'own'), actionListPath(dataDir))
  addToActionList(dataDir, command(2))
  t.equal(statSync(join(dataDir, 'own')).uid, 0, 'a file that existed before keeps its owner')
})
