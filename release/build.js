import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Builds dist. --if-changed: only where its sources are not those of the last build. --unchecked: without a check of types.

/** Tells of which sources dist is. It goes before a build and comes after it, so that a build that fails, or checks no types, is never taken for one. */
const STAMP = join('dist', '.built-from')

const options = new Set(process.argv.slice(2))

/** Their contents and no times: git sets those as it likes. The lock file stands for the compiler and for the types of others. */
function fingerprint () {
  const sources = readdirSync('src', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const hash = createHash('sha256')
  for (const path of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...sources.sort()]) hash.update(`${path}\0`).update(createHash('sha256').update(readFileSync(path)).digest())
  return hash.digest('hex')
}

function compile (project, ...more) {
  execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', project, ...more], { stdio: 'inherit' })
}

const before = fingerprint()
if (options.has('--if-changed') && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === before) {
  console.error('tierhook: nothing has changed since the last build')
  process.exit()
}
if (options.has('--if-changed')) console.error('tierhook: building what has changed, which takes some seconds')
rmSync(STAMP, { force: true })
const unchecked = options.has('--unchecked')
try {
  compile('tsconfig.build.json', ...unchecked ? ['--noCheck'] : [])
  compile(join('src', 'page'), ...unchecked ? ['--noCheck', '--declaration', 'false'] : [])
} catch {
  // The compiler has said what is wrong.
  process.exit(1)
}
// What an earlier build left of sources that are gone would be published.
for (const path of readdirSync('dist', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice('dist/'.length))) {
  const source = path.replace(/(?:\.d)?\.(?:js|ts)(?:\.map)?$/, '.ts')
  if (!path.startsWith('.') && !existsSync(join('src', source))) rmSync(join('dist', path))
}
for (const name of ['page.html', 'page.css']) copyFileSync(join('src', 'page', name), join('dist', 'page', name))
// What was changed meanwhile may be in it or not.
if (!unchecked && fingerprint() === before) writeFileSync(STAMP, before)
