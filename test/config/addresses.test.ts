import t from 'tap'
import { isLoopback, serviceUrl } from '../../src/config/addresses.js'

t.test('only addresses that no other machine can reach are loopback', async t => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST']) t.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '', '10.0.0.1', 'example.com', 'localhost.example.com', '127.1', '2130706433', '::ffff:10.0.0.1']) {
    t.notOk(isLoopback(host), host)
  }
})

t.test('a wildcard address is reached at loopback, and IPv6 is written in brackets', async t => {
  t.equal(serviceUrl('127.0.0.1', 1), 'http://127.0.0.1:1')
  t.equal(serviceUrl('0.0.0.0', 1), 'http://127.0.0.1:1')
  t.equal(serviceUrl('::', 1), 'http://[::1]:1')
  t.equal(serviceUrl('fd00::1', 1), 'http://[fd00::1]:1')
  t.equal(serviceUrl('tierhook', 1), 'http://tierhook:1')
})
