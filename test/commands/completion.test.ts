import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createHarness } from './harness.js'

async function scriptFor (shell: string): Promise<string> {
  const harness = createHarness()
  await harness.run('completion', shell)
  return harness.stdout.text
}

/** Bash's suggestions for the last of these words. */
async function proposedByBash (t: Test, words: readonly string[]): Promise<string[]> {
  const file = join(t.testdir(), 'completion')
  writeFileSync(file, await scriptFor('bash'))
  const text = execFileSync('bash', ['--norc', '-c', 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tierhook; printf "%s\\n" "${COMPREPLY[@]}"', 'bash', file, ...words], { encoding: 'utf8' }) // eslint-disable-line no-template-curly-in-string
  return text.split('\n').filter((word) => word !== '')
}

t.test('bash completes commands, subcommands, options and their values, as they are defined', async t => {
  t.same(await proposedByBash(t, ['tierhook', 'st']), ['status'])
  t.ok((await proposedByBash(t, ['tierhook', ''])).includes('quarantine'))
  t.same(await proposedByBash(t, ['tierhook', 'quarantine', 're']), ['release'])
  t.same(await proposedByBash(t, ['tierhook', 'quarantine', 'release', '--fo']), ['--force'])
  t.same(await proposedByBash(t, ['tierhook', 'deliveries', '--status', 'de']), ['dead'])
  t.same(await proposedByBash(t, ['tierhook', 'send', '--source', '']), ['webhook', 'distribution'])
  t.same(await proposedByBash(t, ['tierhook', 'backup', '--data-dir', '']), [], 'the shell itself proposes folders')
  t.same(await proposedByBash(t, ['tierhook', 'completion', '']), ['bash', 'zsh', 'fish', '--help'])
})

t.test('zsh and fish accept their scripts, if they are installed', async t => {
  for (const [shell, args] of [['bash', ['-n']], ['zsh', ['-n']], ['fish', ['--no-execute']]] as const) {
    const file = join(t.testdir(), 'completion')
    const script = await scriptFor(shell)
    for (const word of ['quarantine', 'dead-letters', 'status', 'verify-token-file']) t.match(script, word)
    writeFileSync(file, script)
    const { status, stderr, error } = spawnSync(shell, [...args, file], { encoding: 'utf8' })
    if (error === undefined) t.equal(status, 0, stderr)
    else t.comment(`${shell} is not installed`)
  }
})

t.test('an unsupported shell is refused, with a list of the supported ones', async t => {
  const harness = createHarness()
  t.equal(await harness.run('completion', 'csh'), 2)
  t.match(harness.stderr.text, 'Allowed choices are bash, zsh, fish')
})
