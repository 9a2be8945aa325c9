import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { askForDriftReset, DRIFT_RESET_FILE, isDriftResetAskedFor, watchForDriftResets } from '../../src/sender-watch/drift-reset.js'
import { captureLog } from '../support/capture-log.js'
import { eventuallyTrue } from '../support/eventually.js'

t.test('a reset that was asked for is done once, before the start and after it', async (t) => {
  const dataDir = t.testdir()
  let count = 0
  const resets = watchForDriftResets({ dataDir, logger: captureLog().logger, reset: () => { count++ }, everyMs: 5 })
  t.teardown(resets.close)
  await askForDriftReset(dataDir)
  t.ok(await isDriftResetAskedFor(dataDir))
  resets.start()
  await eventuallyTrue(() => count === 1, 'the first')
  t.notOk(await isDriftResetAskedFor(dataDir))
  await askForDriftReset(dataDir)
  await eventuallyTrue(() => count === 2, 'the second')
})

t.test('a note that cannot be removed resets nothing, and is told of once', async (t) => {
  const dataDir = t.testdir()
  const log = captureLog()
  let count = 0
  const path = join(dataDir, DRIFT_RESET_FILE)
  mkdirSync(path)
  const resets = watchForDriftResets({ dataDir, logger: log.logger, reset: () => { count++ }, everyMs: 5 })
  t.teardown(resets.close)
  resets.start()
  await eventuallyTrue(() => log.find('drift not reset').length > 0, 'the warning')
  rmSync(path, { recursive: true })
  await askForDriftReset(dataDir)
  await eventuallyTrue(() => count === 1, 'a note that can be')
  t.match(log.find('drift not reset'), [{ level: 40, path, err: {} }])
  t.equal(log.find('drift not reset').length, 1)
})

t.test('a reset that is taken up in the moment of the end is left to the next run', async (t) => {
  const dataDir = t.testdir()
  await askForDriftReset(dataDir)
  let count = 0
  const resets = watchForDriftResets({ dataDir, logger: captureLog().logger, reset: () => { count++ } })
  resets.start()
  await Promise.all([resets.close(), resets.close()])
  t.equal(count, 0)
  t.ok(await isDriftResetAskedFor(dataDir))
  const next = watchForDriftResets({ dataDir, logger: captureLog().logger, reset: () => { count++ }, everyMs: 5 })
  t.teardown(next.close)
  next.start()
  await eventuallyTrue(() => count === 1, 'the reset')
  t.notOk(existsSync(join(dataDir, DRIFT_RESET_FILE)))
})
