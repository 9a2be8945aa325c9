import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { askForDriftReset, createDriftResets, DRIFT_RESET_FILE, isDriftResetAskedFor } from '../../src/sender-watch/drift-reset.js'
import { captureLog } from '../support/capture-log.js'

t.test('a requested reset is done once', async (t) => {
  const dataDir = t.testdir()
  const resets = createDriftResets({ dataDir, logger: captureLog().logger })
  t.equal(await resets.take(), false)
  await askForDriftReset(dataDir)
  await askForDriftReset(dataDir)
  t.ok(await isDriftResetAskedFor(dataDir))
  t.equal(await resets.take(), true)
  t.notOk(await isDriftResetAskedFor(dataDir))
  t.equal(await resets.take(), false)
})

t.test('a reset note that cannot be removed resets nothing, and is reported once', async (t) => {
  const dataDir = t.testdir()
  const log = captureLog()
  const path = join(dataDir, DRIFT_RESET_FILE)
  mkdirSync(path)
  const resets = createDriftResets({ dataDir, logger: log.logger })
  t.strictSame([await resets.take(), await resets.take()], [false, false])
  t.match(log.find('drift not reset'), [{ level: 40, path, err: {} }])
  t.equal(log.find('drift not reset').length, 1)
  rmSync(path, { recursive: true })
  await askForDriftReset(dataDir)
  t.equal(await resets.take(), true)
})
