import { readdirSync, readFileSync } from 'node:fs'
import type { App } from '../http/app.js'

export interface PageOptions {
  /** The folder with the page's files, as a URL that ends in a slash. */
  readonly directory: URL
}

/** Everything comes from here, nothing is written into the page, and no other page may hold it. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8'
}

/** Adds the operator's page at `/` and the files that it is made of. There is nobody's data in them, so they need no token. */
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
