import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const kept = join(root, '.tap/compiled')

/** A source names another by what it is compiled to. */
export async function resolve (specifier, context, nextResolve) {
  if (!/^(\.{0,2}\/|file:)/.test(specifier)) return await nextResolve(specifier, context)
  const url = new URL(specifier, context.parentURL)
  if (url.pathname.endsWith('.js') && !url.pathname.includes('/node_modules/')) {
    const source = new URL(url)
    source.pathname = `${url.pathname.slice(0, -'.js'.length)}.ts`
    if (!existsSync(url) && existsSync(source)) return await nextResolve(source.href, context)
  }
  return await nextResolve(specifier, context)
}

export async function load (url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return await nextLoad(url, context)
  const { source } = await nextLoad(url, { ...context, format: 'module' })
  return { format: 'module', source: await compile(fileURLToPath(url), String(source)), shortCircuit: true }
}

async function compile (path, source) {
  const mark = createHash('sha256').update(source).digest('hex')
  const at = join(kept, `${relative(root, path)}.js`)
  const before = existsSync(at) ? readFileSync(at, 'utf8') : ''
  if (before.startsWith(`${mark}\n`)) return before.slice(mark.length + 1)
  const { default: ts } = await import('typescript')
  const { outputText } = ts.transpileModule(source, {
    fileName: path,
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true, inlineSourceMap: true }
  })
  mkdirSync(dirname(at), { recursive: true })
  writeFileSync(`${at}.${process.pid}`, `${mark}\n${outputText}`)
  renameSync(`${at}.${process.pid}`, at)
  return outputText
}
