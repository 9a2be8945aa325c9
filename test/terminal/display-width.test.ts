import t from 'tap'
import { cutToWidth, displayWidth } from '../../src/terminal/display-width.js'
import { formatTable, writeTable } from '../../src/terminal/table.js'
import { Writable } from 'node:stream'

const FAMILY = '👨‍👩‍👧‍👦'

t.test('the width of a text is what a terminal shows', async t => {
  const cases: ReadonlyArray<readonly [string, number]> = [
    ['', 0], ['plain text ~', 12], ['Zoë', 3], ['Zoe\u0308', 3], ['李小龙', 6], ['カタカナ', 8], ['ｶﾀｶﾅ', 4], ['한국어', 6], ['\u1112\u1161\u11AB', 2], ['Ｆｕｌｌ', 8], ['𠀋', 2], ['、。', 4],
    ['🫖', 2], ['👍🏽', 2], [FAMILY, 2], ['🇵🇱', 2], ['❤', 1], ['❤\uFE0F', 2], ['3\uFE0F\u20E3', 2], ['⌚', 2], ['\u0301', 0], ['\u200D', 0], ['…', 1], ['Ω', 1], ['€', 1]
  ]
  for (const [text, width] of cases) t.equal(displayWidth(text), width, JSON.stringify(text))
})

t.test('text is cut between characters as a person sees them', async t => {
  t.equal(cutToWidth('plain', 3), 'pla')
  t.equal(cutToWidth('李小龙', 3), '李')
  t.equal(cutToWidth('a🫖b', 2), 'a', 'no character is cut in half')
  t.equal(cutToWidth(`a${FAMILY}b`, 3), `a${FAMILY}`)
  t.equal(cutToWidth(`a${FAMILY}b`, 2), 'a', 'no emoji sequence is cut in half')
  t.equal(cutToWidth('e\u0301e\u0301', 1), 'e\u0301')
  t.equal(cutToWidth('🇵🇱', 1), '')
  t.equal(cutToWidth('Zoë', 9), 'Zoë')
})

t.test('columns of a table are aligned, however wide the letters are, and no line is wider than the terminal', async t => {
  const rows = [['ID', 'CUSTOMER', 'STATE'], ['1', '李小龙', 'dead'], ['2', `Zoe\u0308 ${FAMILY}`, 'dead'], ['3', 'plain', 'dead'], ['4', 'a\u202Eb', 'dead']]
  const lines = formatTable(rows).split('\n')
  t.strictSame(lines.map(line => displayWidth(line.slice(0, line.search(/STATE|dead/)))), [14, 14, 14, 14, 14])
  t.equal(lines[4], '4   a\\u202eb  dead')

  let text = ''
  const terminal = Object.assign(new Writable({
    write (chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    }
  }), { isTTY: true, columns: 9 })
  writeTable(terminal, [['1', '李小龙李小龙'], ['2', `abcd${FAMILY}${FAMILY}`], ['3', 'abcdef']])
  t.equal(text, '1  李小…\n2  abcd…\n3  abcdef\n')
  t.ok(text.isWellFormed())
})
