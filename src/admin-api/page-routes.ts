import { readdirSync, readFileSync } from 'node:fs'
import type { App } from '../http/app.js'

export interface PageOptions {
  /** URL of the folder with the page's files. Ends in a slash. */
  readonly directory: URL
}

/** Loads only files from this listener, allows no inline script or style, and forbids framing by another page. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8'
}

/** Adds the operator's page at `/` and its files. They contain nobody's data, so they need no token. */
export function addPageRoutes (app: App, { directory }: PageOptions): void {
  addFile(app, '/', new URL('page.html', directory))
  for (const name of readdirSync(directory).filter((name) => /\.(?:css|js)$/.test(name))) addFile(app, `/page/${name}`, new URL(name, directory))
}

function addFile (app: App, path: string, file: URL): void {
  let content: Buffer | undefined
  app.get(path, { config: { open: true } }, (_request, reply) => {
    content ??= readFileSync(file)
    return reply.headers({ 'content-security-policy': POLICY, 'content-type': types[file.pathname.split('.').at(-1) ?? ''] }).send(content)
  })
}
