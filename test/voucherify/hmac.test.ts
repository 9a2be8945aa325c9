import fc from 'fast-check'
import { createHmac } from 'node:crypto'
import t from 'tap'
import { hmacSha256 } from '../../src/voucherify/hmac.js'

t.test('the HMAC is the same as Node.js\'s, for keys and texts of any length', async (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 5000 }), (key, bytes) => {
    return hmacSha256(key, bytes).equals(createHmac('sha256', key).update(bytes).digest())
  }), { numRuns: 500 })
  for (const length of [0, 1, 63, 64, 65, 128]) {
    const key = Buffer.alloc(length, 'k')
    t.equal(hmacSha256(key, Buffer.from('text')).toString('hex'), createHmac('sha256', key).update('text').digest('hex'), `a key of ${length} bytes`)
  }
})

t.test('a published vector (RFC 4231, case 2)', async (t) => {
  t.equal(hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
})
