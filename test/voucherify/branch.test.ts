import { Type } from '@sinclair/typebox'
import t from 'tap'
import { chooseBranch, discriminatorsOf, objectBranches } from '../../src/voucherify/branch.js'

const a = Type.Object({ type: Type.Literal('A'), x: Type.String(), kind: Type.Literal('k') })
const b = Type.Object({ type: Type.Literal('B'), y: Type.String(), list: Type.Optional(Type.Null()) })
const c = Type.Object({ type: Type.Literal('B'), list: Type.Array(Type.String()), kind: Type.Optional(Type.Literal('k')) })

t.test('the keys that have a literal in every branch tell the branches apart', t => {
  t.strictSame([...discriminatorsOf([a, b, c])], [['type', ['A', 'B']]])
  t.strictSame([...discriminatorsOf([a, Type.Object({})])], [])
  t.strictSame([...discriminatorsOf([])], [])
  t.end()
})

t.test('the branch is chosen by its telling keys, then by what it knows and lacks', t => {
  const branches = [a, b, c]
  const choose = (value: Record<string, unknown>) => chooseBranch(branches, discriminatorsOf(branches), value)
  t.equal(choose({ type: 'A', y: 1, list: [] }), a)
  t.equal(choose({ type: 'B', y: 1 }), b, 'a key that it knows')
  t.equal(choose({ type: 'B', y: 1, list: [] }), c, 'an array where another branch has null')
  t.equal(choose({ type: 'B', list: null }), c, 'nothing missing')
  t.equal(choose({ type: 'B' }), b, 'the first, where nothing tells')
  t.equal(chooseBranch([], new Map(), {}), undefined)
  t.end()
})

t.test('of two branches that fit alike, the one that shares a literal is chosen', t => {
  const loose = Type.Object({ kind: Type.Optional(Type.String()) })
  const exact = Type.Object({ kind: Type.Optional(Type.Literal('k')) })
  t.equal(chooseBranch([loose, exact], new Map(), { kind: 'k' }), exact)
  t.equal(chooseBranch([loose, exact], new Map(), { kind: 'l' }), loose)
  t.end()
})

t.test('objects are what branches are', t => {
  t.strictSame(objectBranches(Type.Union([a, Type.Null(), c])), [a, c])
  t.end()
})
