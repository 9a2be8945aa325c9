import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const source = join(import.meta.dirname, '../src')
const levels: Readonly<Record<string, number>> = { debug: 20, info: 30, warn: 40, error: 50, fatal: 60 }

/** Messages of the program's log, with the levels that they are logged at. */
type Messages = ReadonlyMap<string, ReadonlySet<number>>

/** Returns every message that is a literal in a call of a logger, or the value of a variable that is the last argument of such a call. */
function messagesInSource (): Messages {
  const messages = new Map<string, Set<number>>()
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.ts'))) {
    const parsed = ts.createSourceFile(name, readFileSync(join(source, name), 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && /(?:^|\.)log(?:ger)?$/.test(node.expression.expression.getText())) {
        const level = levels[node.expression.name.text]
        const message = node.arguments.at(-1)
        if (level !== undefined && message !== undefined) {
          for (const text of textsOf(message, parsed)) messages.set(text, (messages.get(text) ?? new Set<number>()).add(level))
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(parsed)
  }
  return messages
}

function textsOf (expression: ts.Node, file: ts.SourceFile): readonly string[] {
  if (ts.isStringLiteral(expression)) return [expression.text]
  if (ts.isConditionalExpression(expression)) return [...textsOf(expression.whenTrue, file), ...textsOf(expression.whenFalse, file)]
  if (!ts.isIdentifier(expression)) return []
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === expression.text && node.initializer !== undefined) found.push(...textsOf(node.initializer, file))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** Returns the rows of the table under "The log": messages in code marks, and their levels. */
function messagesInTable (): Messages {
  const text = readFileSync(join(source, '../docs/operating.md'), 'utf8')
  const section = /^## The log\n(.*?)(?=^## |$(?![\s\S]))/ms.exec(text)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| (`.*?) \| ([\d, ]+) \|/gm)]
  const messages = new Map<string, Set<number>>()
  for (const [, names = '', numbers = ''] of rows) {
    const told = numbers.split(',').map(Number)
    const each = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
    // If there are as many levels as messages, each message has one level, in order.
    each.forEach((name, index) => { messages.set(name, new Set(told.length === each.length ? told.slice(index, index + 1) : told)) })
  }
  return messages
}

function asLines (messages: Messages): string[] {
  return [...messages].map(([name, at]) => `${name}: ${[...at].sort().join(', ')}`).sort()
}

t.test('the table in docs/operating.md has exactly the messages of the log, with their levels', async (t) => {
  const inSource = messagesInSource()
  t.ok(inSource.size > 40)
  t.strictSame(asLines(messagesInTable()), asLines(inSource))
})
