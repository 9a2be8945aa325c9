import fc from 'fast-check'
import t from 'tap'
import { compactMemberTexts, memberText } from '../../src/voucherify/members.js'

function member (json: string, key: string): string | undefined {
  const found = memberText(Buffer.from(json), key)
  return found === undefined ? undefined : Buffer.from(found).toString()
}

t.test('a member is found as it was written', async t => {
  for (const [json, expected] of [
    ['{"data":1.0}', '1.0'],
    ['{"a":[{"data":1}],"data":{"data":[1,{}]},"b":2}', '{"data":[1,{}]}'],
    ['{"data":"},{\\"data\\":\\\\"}', '"},{\\"data\\":\\\\"'],
    ['{"data":[],"data":-0}', '-0'],
    ['{"d\\u0061ta":"é"}', '"é"'],
    ['{"a":"data","b":["data"],"data":null}', 'null'],
    ['{"a\\"data":1,"data":{}}', '{}'],
    ['{}', undefined],
    ['{"a":{"data":1}}', undefined],
    ['{"a":"data"}', undefined],
    ['{"Data":1,"data ":2}', undefined]
  ] as const) t.equal(member(json, 'data'), expected, json)
})

t.test('the found member is the one that JSON.parse would give', async () => {
  const key = fc.constantFrom('data', 'event', 'a', '"', '\\', '', '__proto__', 'é')
  fc.assert(fc.property(fc.array(fc.tuple(key, fc.json({ maxDepth: 3 })), { maxLength: 6 }), key, (members, wanted) => {
    const json = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(JSON.parse(value))}`).join(',')}}`
    const found = member(json, wanted)
    const expected = new Map(members.map(([name, value]) => [name, value])).get(wanted)
    return found === (expected === undefined ? undefined : JSON.stringify(JSON.parse(expected)))
  }))
})

t.test('several members are found together if there is no white space between them', async t => {
  const find = (json: string): readonly unknown[] | undefined => compactMemberTexts(Buffer.from(json), [Buffer.from('data'), Buffer.from('event')])?.map((found) => found === undefined ? undefined : Buffer.from(found).toString())
  t.strictSame(find('{"event":"a b","data":{"x":[" ","\\t"]}}'), ['{"x":[" ","\\t"]}', '"a b"'])
  t.strictSame(find('{"event":1}'), [undefined, '1'])
  for (const json of ['{"data": 1}', '{"data":{"x":[1,\n2]}}', '{"data":1,\t"event":2}', '{"data":1}\r\n', ' {"data":1}']) t.equal(find(json), undefined, JSON.stringify(json))
})
