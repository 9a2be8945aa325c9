import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keepObservations, observationsPath, readObservations } from '../../src/operations/observations-file.js'
import type { Observations } from '../../src/operations/observations.js'
import { captureLog } from '../support/capture-log.js'
import { eventually } from '../support/eventually.js'

function sample (count: number): Observations {
  return {
    drift: { differences: [{ eventType: 'a', kind: 'fault', pointer: '/x', expected: 'must be a string', seen: 'null', count, firstAt: 1, lastAt: 2 }], dropped: 3 },
    patience: { known: ['wh_1'], sources: [{ sourceId: 'wh_1', proven: true, lastCode: 'INTERNAL', firstFailureAt: 1, lastFailureAt: 2, alarmed: 3, events: [{ eventId: 'ev_1', failures: 3, firstAt: 1 }] }] },
    silence: [{ expectation: '*', lastAt: null, since: 4 }]
  }
}

t.test('what is kept is read again, and written only when something has changed', async (t) => {
  const dataDir = t.testdir()
  t.equal(await readObservations(dataDir), undefined)
  let observed = sample(1)
  let asked = 0
  const kept = keepObservations({
    dataDir,
    logger: captureLog().logger,
    everyMs: 5,
    observe () {
      asked++
      return observed
    }
  })
  kept.start()
  await eventually(() => existsSync(observationsPath(dataDir)) && asked > 2 ? true : undefined, 'the file')
  t.match(await readObservations(dataDir), sample(1))
  rmSync(observationsPath(dataDir))
  const before = asked
  await eventually(() => asked > before + 2 ? true : undefined, 'more turns')
  t.notOk(existsSync(observationsPath(dataDir)))
  observed = sample(2)
  await kept.close()
  await kept.close()
  t.match(await readObservations(dataDir), sample(2))
  t.strictSame(readdirSync(dataDir), ['observations.json'])
})

t.test('what was never started leaves the folder as it is', async (t) => {
  const dataDir = t.testdir()
  await keepObservations({ dataDir, logger: captureLog().logger, observe: () => sample(1) }).close()
  t.strictSame(readdirSync(dataDir), [])
})

t.test('a damaged file is refused, whatever the damage', async (t) => {
  const dataDir = t.testdir()
  const whole = JSON.stringify({ version: 1, ...sample(1) })
  for (const text of ['', 'null', '{}', whole.slice(0, -5), whole.replace('"version":1', '"version":2'), whole.replace('"count":1', '"count":-1'), whole.replace('"lastAt":2', '"lastAt":1e300'), `"${'x'.repeat(9_000_000)}"`]) {
    writeFileSync(observationsPath(dataDir), text)
    await t.rejects(readObservations(dataDir))
  }
})

t.test('a disk that takes nothing is told of once, costs nothing else, and is tried again', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const log = captureLog()
  let count = 0
  const kept = keepObservations({ dataDir, logger: log.logger, observe: () => sample(++count) })
  await kept.save()
  await kept.save()
  t.match(log.find('observations not kept'), [{ level: 40, err: { code: 'ENOENT' } }])
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o750)
  await kept.save()
  t.match(JSON.parse(readFileSync(observationsPath(dataDir), 'utf8')), { version: 1 })
})
