import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const project = join(import.meta.dirname, '..')

function read (path: string): string {
  return readFileSync(join(project, path), 'utf8')
}

interface Claim {
  readonly promise: string
  readonly file: string
  readonly title: string
}

/** Returns the rows of the table. A row of another form has no file. */
function claims (): Claim[] {
  const rows = read('CLAIMS.md').split('\n').filter((line) => line.startsWith('|')).slice(2)
  return rows.map((row) => {
    const [, promise = '', file = '', title = ''] = row.split(' | ').length === 3 ? /^\| (.*) \| `(.*)` \| (.*) \|$/.exec(row) ?? [] : []
    return { promise, file, title }
  })
}

t.test('the test for each promise exists', async (t) => {
  t.ok(claims().length > 40)
  for (const { promise, file, title } of claims()) {
    if (!existsSync(join(project, file)) || file === '') {
      t.fail(`${file} is not there, which should show "${promise}"`)
      continue
    }
    // The title as the source has it between the quotation marks.
    const source = read(file).replaceAll('\\\'', '\'')
    t.ok([`t.test('${title}'`, `t.test(\`${title}\``].some((call) => source.includes(call)), `${file} has "${title}"`)
  }
})

t.test('no row stands twice', async (t) => {
  const rows = claims().map(({ promise, file, title }) => `${promise} | ${file} | ${title}`)
  t.strictSame(rows.filter((row, index) => rows.indexOf(row) !== index), [])
})
