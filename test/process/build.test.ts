import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plainNode } from '../support/program.js'

const project = join(import.meta.dirname, '../..')

/** A minimal project with this project's build. */
function projectIn (t: Test) {
  // The smallest library, because checking all of it takes most of such a build.
  const compilerOptions = { target: 'ES2023', module: 'NodeNext', strict: true, types: [], lib: ['ES5'], skipLibCheck: true, outDir: './dist', rootDir: './src' }
  const folder = t.testdir({
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    'tsconfig.json': '{}',
    'tsconfig.build.json': JSON.stringify({ compilerOptions, include: ['src'], exclude: ['src/page'] }),
    src: { 'main.ts': 'export const value: number = 1\n', page: { 'page.ts': 'export {}\n', 'page.html': '', 'page.css': '', 'tsconfig.json': JSON.stringify({ compilerOptions: { ...compilerOptions, outDir: '../../dist', rootDir: '..' } }) } }
  })
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  const [command = '', ...args] = ['env', ...plainNode, join(project, 'release/build.js')]
  return {
    main: join(folder, 'src/main.ts'),
    built: () => readFileSync(join(folder, 'dist/main.js'), 'utf8'),
    build: (...options: string[]) => {
      const { status, stdout, stderr } = spawnSync(command, [...args, ...options], { cwd: folder, encoding: 'utf8' })
      return { status, stdout, said: /nothing has changed|building/.exec(stderr)?.[0] }
    }
  }
}

t.test('npm start builds changed files, and nothing if nothing changed', async (t) => {
  const { prestart } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).scripts
  t.equal(prestart, 'node release/build.js --if-changed')
  const { main, built, build } = projectIn(t)
  t.same(build('--if-changed'), { status: 0, stdout: '', said: 'building' })
  t.match(built(), 'value = 1')
  t.same(build('--if-changed'), { status: 0, stdout: '', said: 'nothing has changed' })

  // The state after a switch of branches: other contents, with a time older than the build's.
  writeFileSync(main, 'export const value: number = 2\n')
  utimesSync(main, 0, 0)
  t.equal(build('--if-changed').said, 'building')
  t.match(built(), 'value = 2')
})

t.test('a start does not rely on a build that failed or did not check types', async (t) => {
  const { main, built, build } = projectIn(t)
  t.equal(build().status, 0)
  const sound = readFileSync(main, 'utf8')
  writeFileSync(main, 'export const value: number = "three"\n')
  t.equal(build('--if-changed').status, 1)
  writeFileSync(main, sound)
  t.equal(build('--if-changed').said, 'building', 'dist is built again, because the failed build wrote it from other sources')
  t.match(built(), 'value = 1')

  writeFileSync(main, 'export const value: number = "four"\n')
  t.equal(build('--unchecked').status, 0)
  t.equal(build('--if-changed').status, 1)
})
