#!/usr/bin/env node
import { existsSync } from 'node:fs'

// npx links the file that "bin" names when it first runs in a clone, and keeps that link. The file must exist before the build, and dist does not.
const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(main)) await import(main.href)
else {
  process.stderr.write('tierhook: is not built yet. Run "npm run build", or "npm start", which builds it and starts the service.\n')
  process.exitCode = 1
}
