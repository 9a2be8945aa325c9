import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/delivery/clock.js'
import { askForDriftReset } from '../../src/sender-watch/drift-reset.js'
import { keepObservations } from '../../src/sender-watch/keep-observations.js'
import { createObservationsFile, observationsPath, readObservations } from '../../src/sender-watch/observations-file.js'
import type { Observations } from '../../src/sender-watch/observations.js'
import { captureLog, type CapturedLog } from '../support/capture-log.js'
import { eventually } from '../support/eventually.js'

function sample (count: number): Observations {
  return {
    drift: { differences: [{ eventType: 'a', kind: 'fault', pointer: '/x', expected: 'must be a string', seen: 'null', count, firstAt: 1, lastAt: 2, place: 'signed wh_1\na' }], dropped: 3 },
    retryBudget: { sources: [{ sourceId: 'wh_1', lastCode: 'INTERNAL', firstFailureAt: 1, lastFailureAt: 2, alarmed: 3, events: [{ eventId: 'ev_1', failures: 3, firstAt: 1 }] }] },
    unproven: {
      signedAt: 5,
      knownAddresses: ['192.0.2.1'],
      refused: [{ from: 'known', count: 2, firstAt: 6, lastAt: 7, lastCode: 'SIGNATURE_WRONG', told: 0 }],
      addresses: [{ address: null, count: 2, firstAt: 6, lastAt: 7, lastCode: 'SIGNATURE_WRONG' }]
    },
    missingEvents: [{ expectation: '*', lastAt: null, since: 4 }]
  }
}

interface Keeping {
  readonly dataDir: string
  readonly log?: CapturedLog
  readonly observe: () => Observations
  readonly everyMs?: number
}

function keep ({ dataDir, log = captureLog(), observe, everyMs = 60_000 }: Keeping) {
  const forgotten: string[] = []
  const store = createObservationsFile({ dataDir, logger: log.logger, monotonic: systemClock.monotonic, lookEveryMs: everyMs, saveEveryMs: 0 })
  const observed = { keep: observe, heard: () => {}, forget: (what: string) => { forgotten.push(what) }, merge: observe }
  return { ...keepObservations({ store, observed, leads: () => true, logger: log.logger }), forgotten }
}

t.test('kept observations are read again, and written only after a change', async (t) => {
  const dataDir = t.testdir()
  t.equal(await readObservations(dataDir), undefined)
  let observed = sample(1)
  let asked = 0
  const kept = keep({
    dataDir,
    everyMs: 5,
    observe () {
      asked++
      return observed
    }
  })
  kept.start()
  await eventually(() => existsSync(observationsPath(dataDir)) && asked > 2 ? true : undefined, 'the observations file')
  t.match(await readObservations(dataDir), sample(1))
  rmSync(observationsPath(dataDir))
  const before = asked
  await eventually(() => asked > before + 2 ? true : undefined, 'two more rounds without a change')
  t.notOk(existsSync(observationsPath(dataDir)))
  observed = sample(2)
  await kept.close()
  await kept.close()
  t.match(await readObservations(dataDir), sample(2))
  t.strictSame(readdirSync(dataDir), ['observations.json'])
})

t.test('observations made during a save are in the file after the next save', async (t) => {
  const dataDir = t.testdir()
  let observed = sample(1)
  const kept = keep({ dataDir, observe: () => observed })
  const underWay = kept.save()
  observed = sample(2)
  await kept.save()
  t.match(await readObservations(dataDir), sample(2))
  await underWay
})

t.test('a store of observations that never started leaves the folder unchanged', async (t) => {
  const dataDir = t.testdir()
  await keep({ dataDir, observe: () => sample(1) }).close()
  t.strictSame(readdirSync(dataDir), [])
})

t.test('drift that is reset by a note is forgotten once, and later drift is kept', async (t) => {
  const dataDir = t.testdir()
  const log = captureLog()
  await askForDriftReset(dataDir)
  const kept = keep({ dataDir, log, observe: () => sample(kept.forgotten.length + 1) })
  await kept.save()
  t.strictSame(kept.forgotten, ['drift'])
  t.match(await readObservations(dataDir), sample(2))
  t.match(log.find('drift reset'), [{ level: 30 }])
})

t.test('a file of another version, or with parts of another form, is refused', async (t) => {
  const dataDir = t.testdir()
  const { drift, missingEvents, retryBudget, unproven } = sample(1)
  for (const other of [{ version: 1, drift, retryBudget, missingEvents }, { version: 2, drift, retryBudget, missingEvents, unproven }, { version: 3, drift, retryBudget, missingEvents }]) {
    writeFileSync(observationsPath(dataDir), JSON.stringify(other))
    await t.rejects(readObservations(dataDir))
  }
  writeFileSync(observationsPath(dataDir), JSON.stringify({ version: 3, drift, retryBudget, missingEvents, unproven }))
  t.match(await readObservations(dataDir), { unproven })
})

t.test('a damaged file is refused, whatever the damage', async (t) => {
  const dataDir = t.testdir()
  const whole = JSON.stringify({ version: 3, ...sample(1) })
  for (const text of ['', 'null', '{}', whole.slice(0, -5), whole.replace('"version":3', '"version":4'), whole.replace('"count":1', '"count":-1'), whole.replace('"lastAt":2', '"lastAt":1e300'), `"${'x'.repeat(9_000_000)}"`]) {
    writeFileSync(observationsPath(dataDir), text)
    await t.rejects(readObservations(dataDir))
  }
})

t.test('a disk that cannot store the file is reported once, affects nothing else, and is tried again', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const log = captureLog()
  let count = 0
  const kept = keep({ dataDir, log, observe: () => sample(++count) })
  await kept.save()
  await kept.save()
  t.match(log.find('observations not kept'), [{ level: 40, path: observationsPath(dataDir), err: { code: 'ENOENT' } }])
  t.equal(log.find('observations not kept').length, 1)
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o750)
  await kept.save()
  t.match(JSON.parse(readFileSync(observationsPath(dataDir), 'utf8')), { version: 3 })
})
