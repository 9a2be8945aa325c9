import t from 'tap'
import { readEnvFile } from '../../src/config/env-file.js'

function read (text: string): { values: Record<string, string>, faults: string[] } {
  const { values, faults } = readEnvFile({ path: '.env', text })
  return { values: Object.fromEntries(values), faults: faults.map(fault => `${fault.variable} ${fault.message}`) }
}

t.test('comments, blank lines, export, quotation marks and any line ends are understood', async t => {
  t.same(read('\uFEFF# a comment\r\n\r\nexport PORT=1 # the port\rDATA_DIR="a # b"\nHOST: x\n  LOG_LEVEL = info \n'), {
    values: { PORT: '1', DATA_DIR: 'a # b', HOST: 'x', LOG_LEVEL: 'info' },
    faults: []
  })
})

t.test('a value in quotation marks may have several lines', async t => {
  t.same(read('REQUIRED_HEADERS="X-A: 1\nX-B: 2\nNAME=3"\nPORT=1'), {
    values: { REQUIRED_HEADERS: 'X-A: 1\nX-B: 2\nNAME=3', PORT: '1' },
    faults: []
  })
})

t.test('an unknown name is a fault that suggests the nearest name, or to remove the line', async t => {
  t.same(read('VOUCHERIFY_WEBHOOK_SECRET=hunter2\nport=1\nDATABASE_CONNECTION=hunter2').faults, [
    'VOUCHERIFY_WEBHOOK_SECRET is not a variable of tierhook (line 1 of .env); did you mean VOUCHERIFY_WEBHOOK_SECRETS?',
    'port is not a variable of tierhook (line 2 of .env); did you mean PORT?',
    'DATABASE_CONNECTION is not a variable of tierhook (line 3 of .env); remove it'
  ])
  t.match(read('toString=1\n__proto__=1').faults, [/^toString is not/, /^__proto__ is not/])
})

t.test('a name that is set twice is a fault', async t => {
  t.same(read('PORT=1\nHOST=x\nPORT=1').faults, ['PORT is set twice, in lines 1 and 3 of .env; keep one'])
})

t.test('a line that sets nothing is a fault, and is not shown', async t => {
  const { faults } = read('PORT 3000\n=hunter2\nhunter2')
  t.same(faults, [1, 2, 3].map(line => `line ${line} of .env is not NAME=value; correct it, or put a # before it`))
})

t.test('a value that the format would cut off is a fault: a secret with a # in it would match no signature', async t => {
  t.match(read('VOUCHERIFY_WEBHOOK_SECRETS=hunter#2').faults, [/^VOUCHERIFY_WEBHOOK_SECRETS has a # inside its value \(line 1 of \.env\)/])
  t.same(read('VOUCHERIFY_WEBHOOK_SECRETS=\'hunter#2\'').values, { VOUCHERIFY_WEBHOOK_SECRETS: 'hunter#2' })
  t.match(read('DATA_DIR="a\nPORT=1').faults, [/^DATA_DIR has a quotation mark that is never closed/])
  for (const value of ['"hunter2" hunter3', '"hunter\\"2"', "'hunter''2'", '"hunter\n2"3']) {
    const { faults } = read(`VOUCHERIFY_WEBHOOK_SECRETS=${value}`)
    t.match(faults, [/^VOUCHERIFY_WEBHOOK_SECRETS has something after its closing quotation mark \(line 1 of \.env\)/], value)
    t.notMatch(faults.join(), 'hunter')
  }
})

t.test('values are read the same on every Node.js, although its own parser differs in names, colons and line ends', async t => {
  t.same(read('  export  PORT=1\rexport\tHOST=\tx\t\r\nDATA_DIR: "x y" # z\nLOG_LEVEL=#\nLOG_REDACT=\n"x"'), {
    values: { PORT: '1', HOST: 'x', DATA_DIR: 'x y', LOG_LEVEL: '', LOG_REDACT: '' },
    faults: ['line 6 of .env is not NAME=value; correct it, or put a # before it']
  })
  t.same(read('HOST="a\\nb"\nDATA_DIR=\'a\\nb\'\nLOG_LEVEL=`a "b" \'c\'`\nLOG_REDACT=a"b"=c').values, { HOST: 'a\nb', DATA_DIR: 'a\\nb', LOG_LEVEL: 'a "b" \'c\'', LOG_REDACT: 'a"b"=c' })
})
