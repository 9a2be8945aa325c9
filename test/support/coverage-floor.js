import { readFileSync } from 'node:fs'

// The coverage that the tests have reached, against the least that is accepted.
const LEAST_PERCENT = 95
const { total } = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'))
const short = ['lines', 'statements', 'functions', 'branches'].filter((kind) => !(total[kind].pct >= LEAST_PERCENT))
for (const kind of short) console.error(`coverage of ${kind} is ${total[kind].pct} %, and must be at least ${LEAST_PERCENT} %`)
process.exitCode = short.length > 0 ? 1 : 0
