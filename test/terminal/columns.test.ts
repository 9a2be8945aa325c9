import t from 'tap'
import { createPaint } from '../../src/terminal/output.js'
import { formatColumns, writeColumns } from '../../src/terminal/columns.js'
import { displayWidth } from '../../src/terminal/display-width.js'
import { shortenIds, shortSenderId } from '../../src/terminal/short.js'
import { formatAgo } from '../../src/terminal/times.js'

const columns = [{ title: 'ID' }, { title: 'TYPE', least: 10 }, { title: 'VERDICT', dropped: 2 }, { title: 'CUSTOMER', dropped: 1 }]
const rows = [['01a2194c', 'customer.loyalty.tier.upgraded', 'valid', 'cust_1'], ['01a2194d', 'customer.left', { text: 'invalid', colour: 'yellow' as const }, '茶茶']]
const plain = createPaint(false)
const linesAt = (width: number | undefined): string[] => formatColumns(columns, rows, { width, paint: plain }).trimEnd().split('\n')

t.test('columns that do not fit are left out or cut, the least important first, and no line is wider than the terminal', async t => {
  t.match(linesAt(undefined)[1], /^01a2194c {2}customer\.loyalty\.tier\.upgraded {2}valid {4}cust_1$/)
  t.match(linesAt(59)[1], /^01a2194c {2}customer\.loyalty\.tier\.upgraded {2}valid {4}cust_1$/)
  t.match(linesAt(50)[1], /^01a2194c {2}customer\.loyalty\.tie… {2}valid {4}cust_1$/)
  t.same(linesAt(30), ['ID        TYPE        CUSTOMER', '01a2194c  customer.…  cust_1', '01a2194d  customer.…  茶茶'], 'the verdict column is dropped before the type is cut below its minimum')
  t.same(linesAt(20), ['ID        TYPE', '01a2194c  customer.…', '01a2194d  customer.…'])
  t.same(linesAt(13), ['ID        TY…', '01a2194c  cu…', '01a2194d  cu…'], 'the last columns are cut below their minimum if they do not fit')
  t.same(linesAt(8), ['ID', '01a2194c', '01a2194d'])
  const kept = formatColumns([{ title: 'TYPE', least: 4, keepsEnd: true }, { title: 'X' }], [['customer.loyalty.tier.left', 'x'], ['茶茶茶茶茶茶茶茶茶茶茶', 'x']], { width: 14, paint: plain })
  t.equal(kept, 'TYPE         X\n….tier.left  x\n…茶茶茶茶茶  x\n', 'a type keeps its end, which says more')
  for (let width = 1; width < 70; width++) t.ok(linesAt(width).every((line) => displayWidth(line) <= width), String(width))
})

t.test('a table has colours only on a terminal, and they take no width', async t => {
  const coloured = formatColumns(columns, rows, { width: 59, paint: createPaint(true) })
  t.match(coloured, '\u001B[33minvalid\u001B[39m')
  // eslint-disable-next-line no-control-regex
  t.same(coloured.replaceAll(/\u001B\[\d+m/g, '').trimEnd().split('\n'), linesAt(59))
  const written: string[] = []
  const output = Object.assign(Object.create(null), { write: (text: string) => written.push(text), isTTY: false, columns: 10 })
  writeColumns(output, { environment: {} }, columns, rows)
  t.same(written.join('').trimEnd().split('\n'), linesAt(undefined), 'output that is not a terminal is not cut')
})

t.test('ids are shortened as long as they differ, and times have their largest unit', async t => {
  const [one, other, third] = ['01a2194c-1f1f-71ea-b2f5-de6b9057d1fe', '01a2194c-1f1f-71eb-b2f5-de6b9057d1fe', '01a2194d-0000-71ea-b2f5-de6b9057d1fe']
  t.equal(shortenIds([one, third])(one), '01a2194c-1f1f')
  t.equal(shortenIds([one, other])(one), '01a2194c-1f1f-71ea')
  t.equal(shortenIds([one, one])(one), '01a2194c-1f1f')
  t.equal(shortenIds([one, one.replace('fe', 'ff')])(one), one, 'ids that differ only late are shown whole')
  t.equal(shortSenderId('cust_3a5d020c0eda6ecc'), 'cust_3a5d…')
  t.equal(shortSenderId('cust_1'), 'cust_1')
  t.equal(shortSenderId('0123456789'), '0123…')
  t.same([4000, 200_000, 8_000_000, 300_000_000].map(formatAgo), ['4 s ago', '3 min ago', '2 h ago', '3 d ago'])
})
