import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import t from 'tap'
import { anchorsOf, readText } from './docker/files.js'

const project = new URL('../', import.meta.url)
const documents = ['.', 'docs', 'docs/decisions'].flatMap((folder) => readdirSync(new URL(folder, project)).filter((name) => name.endsWith('.md')).map((name) => join(folder, name)))

t.test('every link of a document leads to an existing file and heading', async (t) => {
  t.ok(documents.length > 15)
  for (const document of documents) {
    for (const [, link = ''] of readText(document).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? document : join(dirname(document), path)
      t.ok(existsSync(new URL(target, project)), `${document}: ${link}`)
      if (anchor !== undefined) t.ok(anchorsOf(target).has(anchor), `${document}: ${link}`)
    }
  }
})

t.test('the README and the decisions are short', async (t) => {
  const lines = (path: string): number => readText(path).split('\n').length
  t.ok(lines('README.md') <= 121)
  for (const decision of documents.filter((path) => path.startsWith('docs/decisions/'))) t.ok(lines(decision) <= 41, decision)
})
