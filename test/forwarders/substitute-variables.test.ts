import { join } from 'node:path'
import t from 'tap'
import { escapeToken, substituteVariables } from '../../src/forwarders/substitute-variables.js'

const put = (value: unknown, variables: Record<string, string | undefined> = { TOKEN: 'hunter2', _a1: 'b' }) => substituteVariables(value, variables)

t.test('texts anywhere in the value are substituted, and everything else is unchanged', (t) => {
  t.strictSame(put({ a: ['Bearer ${TOKEN}', { b: '${_a1}${_a1}' }], c: 1, d: null, e: true, f: '$TOKEN {TOKEN} $' }), { // eslint-disable-line no-template-curly-in-string
    value: { a: ['Bearer hunter2', { b: 'bb' }], c: 1, d: null, e: true, f: '$TOKEN {TOKEN} $' },
    faults: []
  })
  t.end()
})

t.test('a second dollar sign escapes a variable', (t) => {
  t.strictSame(put('$${TOKEN} and $${').value, '${TOKEN} and ${') // eslint-disable-line no-template-curly-in-string
  t.end()
})

t.test('substituted text and keys are not substituted again', (t) => {
  t.strictSame(put({ '${TOKEN}': '${A}' }, { A: '${B}', B: 'b' }), { value: { '${TOKEN}': '${B}' }, faults: [] }) // eslint-disable-line no-template-curly-in-string
  t.end()
})

t.test('each missing variable is reported with the place that uses it', (t) => {
  const { faults } = put({ 'a/b~': ['x', '${GONE} ${EMPTY}'], c: '${toString}' }, { EMPTY: '' }) // eslint-disable-line no-template-curly-in-string
  t.strictSame(faults, [
    { pointer: '/a~1b~0/1', message: 'needs the variable GONE, which is not set or empty' },
    { pointer: '/a~1b~0/1', message: 'needs the variable EMPTY, which is not set or empty' },
    { pointer: '/c', message: 'needs the variable toString, which is not set or empty' }
  ])
  t.end()
})

t.test('an invalid variable name is a fault that does not show it', (t) => {
  for (const text of ['${', '${}', '${hunter-2}', '${TOKEN', 'x${ TOKEN }']) { // eslint-disable-line no-template-curly-in-string
    const { faults } = put([text])
    t.match(faults, [{ pointer: '/0', message: /^has a \$\{ that no name/ }], text)
    t.notMatch(JSON.stringify(faults), 'hunter')
  }
  t.end()
})

t.test('keys are escaped in JSON pointers', (t) => {
  t.equal(escapeToken('~1/'), '~01~1')
  t.end()
})

t.test('a variable whose text is in a file is read from there', (t) => {
  const path = join(t.testdir({ token: 'from a file\n' }), 'token')
  t.strictSame(put('Bearer ${TOKEN}', { TOKEN_FILE: path }), { value: 'Bearer from a file', faults: [] }) // eslint-disable-line no-template-curly-in-string
  t.strictSame(put('${TOKEN}', { TOKEN: 'direct', TOKEN_FILE: '/nowhere' }).value, 'direct') // eslint-disable-line no-template-curly-in-string
  t.match(put('${TOKEN}', { TOKEN_FILE: '/nowhere' }).faults, [{ message: 'needs the variable TOKEN, whose file /nowhere cannot be read (ENOENT); name a file that holds the secret, and that tierhook may read' }]) // eslint-disable-line no-template-curly-in-string
  t.end()
})
