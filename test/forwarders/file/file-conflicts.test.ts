import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findFileConflicts } from '../../../src/forwarders/file/file-conflicts.js'
import { realPath } from '../../../src/forwarders/file/real-path.js'

function folderOf (t: Test) {
  const folder = t.testdir({ a: { 'events.ndjson': 'x\n' } })
  symlinkSync('a', join(folder, 'linked'))
  symlinkSync(join(folder, 'a/events.ndjson'), join(folder, 'link.ndjson'))
  symlinkSync('a/not-yet.ndjson', join(folder, 'dangling.ndjson'))
  linkSync(join(folder, 'a/events.ndjson'), join(folder, 'hard.ndjson'))
  return (name: string) => `${folder}/${name}`
}

t.test('one file with two spellings is found, and both forwarders and paths are named', async (t) => {
  const at = folderOf(t)
  for (const [one, other] of [
    ['a/events.ndjson', './a/events.ndjson'], ['a/events.ndjson', 'a/../a/events.ndjson'], ['a/events.ndjson', 'link.ndjson'], ['a/events.ndjson', 'linked/events.ndjson'],
    ['a/events.ndjson', 'hard.ndjson'], ['link.ndjson', 'hard.ndjson'], ['a/not-yet.ndjson', 'dangling.ndjson'], ['linked/deep/not/yet.ndjson', 'a/deep/not/yet.ndjson']
  ] as const) {
    t.strictSame(await findFileConflicts([{ forwarder: 'first', path: at(one) }, { forwarder: 'second', path: at(other) }], []), [
      { forwarder: 'second', message: `writes to ${at(other)}, which is also the file of the forwarder first (${at(one)}): give each a file of its own` }
    ], `${one} and ${other}`)
  }
})

t.test('different files are no conflict, in the same folder or with the same name', async (t) => {
  const at = folderOf(t)
  mkdirSync(at('b'))
  const files = ['a/events.ndjson', 'a/events.ndjson.1', 'b/events.ndjson', 'a/other.ndjson', 'not-yet/events.ndjson'].map((name) => ({ forwarder: name, path: at(name) }))
  t.strictSame(await findFileConflicts(files, [{ path: at('a/tierhook.db'), what: 'the database' }]), [])
})

t.test('no forwarder may write to a file of tierhook itself, by whatever name', async (t) => {
  const at = folderOf(t)
  writeFileSync(at('a/tierhook.db'), '')
  linkSync(at('a/tierhook.db'), at('a/hard.db'))
  symlinkSync(at('a/tierhook.db'), at('link.db'))
  for (const name of ['a/tierhook.db', 'linked/tierhook.db', 'a/hard.db', 'link.db']) {
    t.match(await findFileConflicts([{ forwarder: 'f', path: at(name) }], [{ path: at('a/tierhook.db'), what: 'the database' }]), [
      { forwarder: 'f', message: `writes to ${at(name)}, which is the database of tierhook itself (${at('a/tierhook.db')}): give it a file of its own` }
    ])
  }
})

t.test('no forwarder may write to a file that another event file needs beside it', async (t) => {
  const at = folderOf(t)
  for (const end of ['beginning', 'beginning.new', 'in-use', 'set-aside-20260131T000000.000-1', '20260131T000000.000Z']) {
    const files = [{ forwarder: 'f', path: at('a/events.ndjson') }, { forwarder: 'g', path: at(`linked/events.ndjson.${end}`) }]
    for (const order of [files, files.toReversed()]) {
      t.match(await findFileConflicts(order, []), [{ forwarder: 'g', message: /a name that the forwarder f needs beside its file/ }], end)
    }
  }
})

t.test('a path is resolved through links, also if its target does not exist yet', async (t) => {
  const at = folderOf(t)
  symlinkSync('loop-b', at('loop-a'))
  symlinkSync('loop-a', at('loop-b'))
  const real = await realPath(at(''))
  t.equal(await realPath(at('link.ndjson')), `${real}/a/events.ndjson`)
  t.equal(await realPath(at('dangling.ndjson')), `${real}/a/not-yet.ndjson`)
  t.equal(await realPath(at('linked/x/y.ndjson')), `${real}/a/x/y.ndjson`)
  t.equal(await realPath(at('loop-a')), at('loop-a'))
  t.equal(await realPath('/not-there/x'), '/not-there/x')
})
