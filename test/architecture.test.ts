import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const source = join(import.meta.dirname, '../src')

/** Which room may import from which others. A room may always import from itself. */
const allowed: Readonly<Record<string, readonly string[] | 'everything'>> = {
  'main.ts': ['commands'],
  // Also composes commands that run without a service.
  commands: ['composition', 'threads', 'terminal', 'config', 'delivery', 'simulator', 'voucherify', 'page', 'errors'],
  composition: 'everything',
  config: ['voucherify', 'errors'],
  voucherify: ['errors'],
  http: ['voucherify', 'delivery', 'errors'],
  ingress: ['http', 'voucherify', 'delivery', 'errors'],
  delivery: ['voucherify', 'errors'],
  journal: ['delivery', 'threads', 'errors'],
  threads: ['delivery', 'errors'],
  forwarders: ['config', 'delivery', 'voucherify', 'errors'],
  'admin-api': ['http', 'delivery', 'voucherify', 'sender-watch', 'history', 'errors'],
  history: ['kept-file', 'delivery', 'errors'],
  'kept-file': ['delivery', 'errors'],
  metrics: ['delivery', 'voucherify', 'sender-watch', 'errors'],
  // Gets an HTTP client as an option. Addresses are compared in the same way as in the listeners.
  'sender-watch': ['http', 'kept-file', 'delivery', 'voucherify', 'errors'],
  simulator: ['voucherify', 'errors'],
  // Uses from the sender's room only the writing of JSON that every reader accepts.
  terminal: ['delivery', 'voucherify'],
  // Runs in a browser, and uses only the types of the service's answers.
  page: ['admin-api', 'sender-watch', 'history'],
  testing: ['forwarders', 'delivery', 'voucherify', 'errors'],
  errors: []
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

function importsOf (file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8')
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
  return parsed.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    const { moduleSpecifier } = statement
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
    return [{ from: file, to: moduleSpecifier.text, typeOnly: ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly === true }]
  })
}

/** The file of a relative import, below the sources. */
function target ({ from, to }: Import): string {
  return relative(source, join(source, dirname(from), to)).replace(/\.js$/, '.ts')
}

function roomOf (file: string): string {
  return file.split('/', 1)[0] ?? file
}

const imports = files.flatMap(importsOf)
const inside = imports.filter(({ to }) => to.startsWith('.'))

t.test('every folder of the source is in the list of rooms', async (t) => {
  t.ok(files.length > 20)
  t.strictSame([...new Set(files.map(roomOf))].filter((room) => !(room in allowed)), [])
})

t.test('a room imports only from rooms that it may use', async (t) => {
  for (const each of inside) {
    const from = roomOf(each.from)
    const to = roomOf(target(each))
    const may = allowed[from]
    if (from !== to && may !== 'everything' && may?.includes(to) !== true) t.fail(`${each.from} imports ${target(each)}`)
  }
})

t.test('the core uses only types of the sender\'s room', async (t) => {
  const values = inside.filter((each) => roomOf(each.from) === 'delivery' && roomOf(target(each)) === 'voucherify' && !each.typeOnly)
  t.strictSame(values, [])
})

t.test('the core and the journal know neither HTTP nor Fastify', async (t) => {
  const forbidden = /^(?:fastify|@fastify\/.*|undici|node:https?|node:http2|node:net)$/
  const found = imports.filter(({ from, to }) => ['delivery', 'journal'].includes(roomOf(from)) && forbidden.test(to))
  t.strictSame(found, [])
})

t.test('only the composition root uses a journal engine', async (t) => {
  const engineOf = (file: string): string | undefined => /^journal\/(?:sqlite|postgres)\//.exec(file)?.[0]
  const found = inside.filter((each) => engineOf(target(each)) !== undefined && engineOf(target(each)) !== engineOf(each.from) && roomOf(each.from) !== 'composition')
  t.strictSame(found.map(({ from, to }) => `${from} imports ${to}`), [])
})

t.test('the core does not use the disk', async (t) => {
  t.strictSame(imports.filter(({ from, to }) => roomOf(from) === 'delivery' && /^node:fs/.test(to)), [])
})

t.test('only one file chooses the SQLite library', async (t) => {
  const using = files.filter((file) => /'(?:node:sqlite|@photostructure\/sqlite)'/.test(readFileSync(join(source, file), 'utf8')))
  t.strictSame(using, ['journal/sqlite/binding.ts'])
})

t.test('only one file uses the driver of PostgreSQL, and loads it only for a PostgreSQL journal', async (t) => {
  t.strictSame(imports.filter(({ to }) => to === 'pg').map(({ from, typeOnly }) => [from, typeOnly]), [['journal/postgres/database.ts', true]])
})

t.test('only the main file, the process file and the SQLite binding touch the process', async (t) => {
  // The binding depends on this Node.js's SQLite, and suppresses a warning of Node.js about it.
  const touching = ['main.ts', 'commands/process.ts', 'journal/sqlite/binding.ts']
  for (const file of files.filter((name) => !touching.includes(name))) {
    const parsed = ts.createSourceFile(file, readFileSync(join(source, file), 'utf8'), ts.ScriptTarget.Latest)
    const visit = (node: ts.Node): void => {
      if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'process') t.fail(`${file} uses process.${node.name.text}`)
      ts.forEachChild(node, visit)
    }
    visit(parsed)
  }
})

t.test('the main file can report without other files why they cannot be loaded', async (t) => {
  const first = imports.filter(({ from }) => from === 'main.ts')
  t.strictSame(first.map(({ to }) => to), ['./commands/explain-no-start.js'])
  t.strictSame(imports.filter(({ from }) => from === 'commands/explain-no-start.ts'), [])
})

t.test('no room is called utils, common or helpers', async (t) => {
  t.strictSame(files.filter((name) => /(?:^|\/)(?:utils?|common|helpers?|misc|shared)(?:\/|\.ts$)/.test(name)), [])
})

t.test('there are no default exports', async (t) => {
  for (const file of files) {
    const parsed = ts.createSourceFile(file, readFileSync(join(source, file), 'utf8'), ts.ScriptTarget.Latest)
    t.notOk(parsed.statements.some(ts.isExportAssignment), `${file} has a default export`)
  }
})
