import t from 'tap'
import { serviceUrl } from '../../src/commands/service-url.js'

t.test('an address that stands for all is reached at loopback, and IPv6 goes in brackets', async t => {
  t.equal(serviceUrl('127.0.0.1', 1), 'http://127.0.0.1:1')
  t.equal(serviceUrl('0.0.0.0', 1), 'http://127.0.0.1:1')
  t.equal(serviceUrl('::', 1), 'http://[::1]:1')
  t.equal(serviceUrl('fd00::1', 1), 'http://[fd00::1]:1')
  t.equal(serviceUrl('tierhook', 1), 'http://tierhook:1')
})
