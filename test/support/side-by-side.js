import { spawn } from 'node:child_process'
import { once } from 'node:events'

// Runs scripts of package.json at the same time, and fails if one does. What each writes is shown as it comes.
const codes = await Promise.all(process.argv.slice(2).map(async (name) => {
  const [code] = await once(spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'inherit', 'inherit'] }), 'close')
  if (code !== 0) console.error(`npm run ${name} failed`)
  return code
}))
process.exitCode = codes.every((code) => code === 0) ? 0 : 1
