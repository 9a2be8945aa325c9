import { answer, crash, crashAt, endStore, failAt, heal, pass, prune, release, replay, restart, send, sendAgain, stall, stepClock, type Command } from './commands.js'

const webhook = { customer: 0, type: 0, quarantined: false }
const of = (...customers: ReadonlyArray<number | null>) => customers.map((customer) => ({ ...webhook, customer }))

/** What once went wrong, or nearly did, stays. */
export const remembered: ReadonlyArray<readonly [title: string, ...happenings: Command[]]> = [
  ['a stop while the disk stalls', stall('before'), send(webhook), restart('free')],
  ['a stop while the first lines of the event file are written and their commit fails', stall('before'), send(webhook), crash(1), stall('after'), send(webhook), restart()],
  ['a commit that is on the disk, and says that it is not', failAt('lost', 1), send(webhook), sendAgain(0, 1), pass(1000), sendAgain(1, 1)],
  ['a kill that tears the first line of the event file', send(webhook), crash(0.3)],
  ['a copy of what was refused after a stall, and its commit came through', stall('after'), send(webhook), pass(5000), sendAgain(0, 2), crash(1), sendAgain(0, 1)],
  ['a kill between the answers of a batch and their commit', send(webhook, webhook, webhook), answer('batch', 'mixed'), answer('lanes', 'dead'), crashAt(3, 1), pass(20), sendAgain(0, 1)],
  ['a replay and a release that wait for a forwarder while the process is killed', send(webhook, { ...webhook, quarantined: true }), answer('lanes', 'forwarded'), pass(20), replay(0, 'lanes'), replay(0, 'file'), release(0), crash(0), pass(1100)],
  ['a replay of what is on the disk and is refused before its commit answers, which once reached the forwarder all the same', stall('after'), send(webhook), replay(0, 'file'), pass(5000)],
  ['a replay behind one of what is taken back, which must not wait for the next webhook', send(webhook), answer('lanes', 'forwarded'), pass(20), failAt('lost', 1), send(webhook), replay(0, 'lanes'), replay(1, 'lanes'), pass(2000)],
  ['a replay that dies before a kill, and its first way is not begun: the cursor must go past it', send({ customer: null, type: 0, quarantined: false }), replay(0, 'batch'), crash(1), answer('batch', 'dead'), answer('lanes', 'forwarded')],
  ['a replay that dies before its first way is begun, which ends both, and what comes after it goes on', send({ customer: null, type: 0, quarantined: false }, { customer: null, type: 0, quarantined: false }), replay(1, 'batch'), crash(1), answer('batch', 'dead', 'forwarded'), pass(20)],
  ['a rotation of the event file before its first commit, and a kill', send(...of(null, null, null, null, null, null, null)), replay(0, 'file'), crash(1), answer('lanes', 'hangs', 'forwarded'), crash(1)],
  [
    'a clock that is set back by more than a retry on the disk waits',
    send(webhook), stepClock(3_600_000), answer('free', 'forwarded', 'retry', 'mixed', 'nonsense'), replay(3, 'free'), answer('batch', ...Array.from({ length: 7 }, () => 'retry' as const)),
    stepClock(-3_600_000), answer('lanes', 'too few', 'retry', 'mixed', 'nonsense', 'hangs'), pass(3_600_000)
  ],
  [
    'a store that ends before the lines of an event file are known, which is rotated before a kill',
    send(...of(2, 0, 1, 0)), send(...of(0, 1, null, 1, 0)), endStore(), answer('batch', 'forwarded', 'throws', 'too few', 'hangs', 'dead'), answer('free', ...Array.from({ length: 8 }, () => 'retry' as const)),
    send(...of(0, 1, 0, 0, 2)), replay(9, 'lanes'), pass(100), prune(), heal(), sendAgain(8, 2), sendAgain(2, 2), pass(100), crash(1)
  ],
  [
    'a term that ends before the lines of a first event file are committed, and a stop of its forwarder that took them for settled',
    pass(90_000_000), failAt('io error', 7), send(webhook, webhook, webhook), send(webhook, webhook), pass(700_000), crash(1)
  ]
]
