#!/usr/bin/env node
import { existsSync } from 'node:fs'

// In the repository, as dist is not: npx links what "bin" names the first time that it runs here, and finds it never more where it was not there then.

const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(main)) await import(main.href)
else {
  process.stderr.write('tierhook: is not built yet. Run "npm run build", or "npm start", which builds it and starts the service.\n')
  process.exitCode = 1
}
