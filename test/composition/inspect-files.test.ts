import { chmodSync, chownSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inspectFiles, type FileUser, type InspectFilesOptions } from '../../src/composition/inspect-files.js'

/** The user who made the files of this test, if that is not root, and two others. */
const [MAKER, OTHER, THIRD] = [process.getuid?.() === 0 ? 4001 : process.getuid?.() ?? 4001, 4002, 4003]
const isRoot = process.getuid?.() === 0

interface Made {
  readonly directory: string
  readonly dataDir: string
  readonly find: (user: FileUser | undefined, options?: Partial<InspectFilesOptions>) => ReadonlyArray<readonly [refused: boolean, text: string]>
}

/** A data folder that belongs to `MAKER`, with a mode. */
function make (t: Test, mode: number): Made {
  const directory = t.testdir({ data: {} })
  const dataDir = join(directory, 'data')
  if (isRoot) chownSync(dataDir, MAKER, MAKER)
  chmodSync(dataDir, mode)
  return {
    directory,
    dataDir,
    find: (user, options = {}) => inspectFiles({ settings: { DATA_DIR: 'data', FORWARDERS: ['file'] }, directory, user, ...options })
      .map(({ variable, message, refused }) => [refused, `${variable} ${message}`])
  }
}

const maker: FileUser = { uid: MAKER, groups: [statSync(import.meta.dirname).gid, MAKER] }
const other: FileUser = { uid: OTHER, groups: [OTHER] }
const root: FileUser = { uid: 0, groups: [0] }

t.test('a data folder that no other user can write to, or that does not exist, is fine', async t => {
  const { find } = make(t, 0o750)
  t.strictSame(find(maker), [])
  t.strictSame(find(root), [])
  t.strictSame(find(maker, { directory: '/nonexistent' }), [])
  t.strictSame(make(t, 0o777).find(undefined), [], 'a system without user ids gets no warning')
})

t.test('a data folder that everybody can write to is a warning, and is refused if it belongs to another user', async t => {
  for (const mode of [0o777, 0o1777, 0o702]) {
    const { dataDir, find } = make(t, mode)
    const told = `DATA_DIR is ${dataDir}, which everybody on this machine can write to (mode ${mode.toString(8).padStart(4, '0')}): others can put files in it, or replace the store; chmod o-w it`
    t.strictSame(find(maker), [[false, told]])
    t.strictSame(find(root), [[false, told]], 'root is warned too, because a container often runs as root with a user\'s folder')
    t.match(find(other), [[true, `DATA_DIR is ${dataDir}, which belongs to another user (uid ${MAKER}), and which everybody can write to`]])
  }
})

t.test('a volume that belongs to root, or to a user unknown in the container, is a warning and is not refused', { skip: !isRoot && 'needs root' }, async t => {
  for (const owner of [0, 65_534]) {
    const { dataDir, find } = make(t, 0o777)
    chownSync(dataDir, owner, owner)
    t.match(find(other), [[false, /which everybody on this machine can write to/]])
  }
})

t.test('a group that can write to the data folder is a warning if the user is not in it', async t => {
  const { dataDir, find } = make(t, 0o770)
  const { gid } = statSync(dataDir)
  t.strictSame(find({ uid: MAKER, groups: [gid] }), [])
  t.match(find({ uid: MAKER, groups: [gid + 1] }), [[false, `DATA_DIR is ${dataDir}, which can be written to by a group that does not include tierhook's user (gid ${gid}, mode 0770): `]])
})

t.test('links in the data folder are a warning, and are refused if a third user has put them there', async t => {
  const { directory, dataDir, find } = make(t, 0o700)
  for (const name of ['tierhook.db', 'tierhook.lock', 'events.ndjson', 'tierhook.db.damaged-1', 'somebody-elses']) {
    symlinkSync(join(directory, `elsewhere-${name}`), join(dataDir, name))
    if (isRoot) lchownSync(join(dataDir, name), MAKER, MAKER)
  }
  const found = find(maker)
  t.strictSame(new Set(found.map(([refused, text]) => [refused, /^DATA_DIR holds (\S+) as a link \(.*\) to .*elsewhere-\1, so the store/.exec(text)?.[1]].join(' '))),
    new Set(['false tierhook.db', 'false tierhook.lock', 'false events.ndjson', 'false tierhook.db.damaged-1']))
  t.strictSame(find(other).map(([refused]) => refused), [false, false, false, false], 'links made by the folder\'s owner are only warnings')
  t.strictSame(find(maker, { settings: { DATA_DIR: 'data', FORWARDERS: ['log'] } }).length, 3, 'the event file is not checked if no file forwarder is configured')
  if (!isRoot) return
  lchownSync(join(dataDir, 'tierhook.db'), THIRD, THIRD)
  for (const user of [maker, other, root]) t.match(find(user).filter(([refused]) => refused), [[true, /holds tierhook\.db as a link .* belongs to another user \(uid 4003\): others decide which file is written\. Remove it$/]])
})

t.test('files that everybody can change are listed one by one, unless that is true of the whole folder', async t => {
  const { dataDir, find } = make(t, 0o750)
  for (const name of ['tierhook.db', 'observations.json']) {
    writeFileSync(join(dataDir, name), '')
    chmodSync(join(dataDir, name), name === 'tierhook.db' ? 0o666 : 0o644)
  }
  t.match(find(maker), [[false, `DATA_DIR can be changed by everybody on this machine (${join(dataDir, 'tierhook.db')}, mode 0666)`]])
  chmodSync(dataDir, 0o757)
  t.match(find(maker), [[false, 'DATA_DIR is ']])
})

t.test('an environment file with secrets that others can read or change is a warning', async t => {
  const { directory, find } = make(t, 0o750)
  const envFile = (text: string, mode: number) => {
    writeFileSync(join(directory, '.env'), text)
    chmodSync(join(directory, '.env'), mode)
    return { envFile: { path: '.env', text } }
  }
  const secrets = 'PORT=3000\nVOUCHERIFY_WEBHOOK_SECRETS=hunter\nADMIN_TOKEN=\nCRM_KEY=hunter\n'
  t.strictSame(find(maker, envFile(secrets, 0o640)), [])
  t.strictSame(find(maker, envFile('PORT=3000\nADMIN_TOKEN=\n', 0o644)), [], 'a file without secrets may be readable')
  t.strictSame(find(maker, envFile(secrets, 0o644)), [[false, `.env can be read by everybody on this machine (${join(directory, '.env')}, mode 0644), and holds VOUCHERIFY_WEBHOOK_SECRETS; chmod o-r it`]])
  const settings = { DATA_DIR: 'data', FORWARDERS: [], FORWARDERS_FILE: 'forwarders.json' }
  t.match(find(maker, { settings, ...envFile(secrets, 0o644) }), [[false, 'and holds VOUCHERIFY_WEBHOOK_SECRETS, CRM_KEY; chmod o-r it']], 'variables that the forwarders file may refer to count too')
  t.match(find(maker, envFile('PORT=3000\n', 0o646)), [[false, /^\.env can be changed by everybody .*mode 0646\): a user who changes it decides whose webhooks are accepted/]])
  writeFileSync(join(directory, 'forwarders.json'), '[]')
  chmodSync(join(directory, 'forwarders.json'), 0o666)
  t.match(find(maker, { settings }), [[false, /^FORWARDERS_FILE can be changed by everybody .*decides what code runs here/]])
})

t.test('a path that is not a file does no harm', async t => {
  const { directory, dataDir, find } = make(t, 0o750)
  mkdirSync(join(dataDir, 'tierhook.db'))
  t.strictSame(find(maker, { envFile: { path: '.env', text: 'PORT=1' } }), [])
  t.strictSame(find(maker, { directory: join(directory, 'data', 'tierhook.db') }), [])
})
