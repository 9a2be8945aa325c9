import fc from 'fast-check'

/** Compact JSON texts, also with escapes and numbers as JSON.stringify would not write them. */
export function jsonText (): fc.Arbitrary<string> {
  const text = fc.oneof(
    fc.json({ maxDepth: 3 }).map(json => JSON.stringify(JSON.parse(json))),
    fc.constantFrom('{"a\\"b":" \\\\"}', '["\\\\\\" x",1.0,1e2,-0]', '{"k":"\\ud83d\\ude00 \\u0020","k":"\\/"}', '[" ",{"":[]}]', '"\\\\"')
  )
  return fc.array(text, { minLength: 1, maxLength: 3 }).map(texts => `[${texts.join(',')}]`)
}

/** A compact JSON text with a gap after each token, taken from the stream. */
export function spaced (text: string, gaps: Iterator<string>): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[-+.\w]+|[[\]{},:]/gs) ?? []
  return tokens.map(token => `${token}${String(gaps.next().value ?? '')}`).join('')
}
