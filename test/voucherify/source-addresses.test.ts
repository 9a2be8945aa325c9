import t from 'tap'
import { createSourceFilter, isSourceEntry, regionAddresses } from '../../src/voucherify/source-addresses.js'

t.test('a region allows its published addresses, and no other region\'s', t => {
  for (const [region, addresses] of Object.entries(regionAddresses)) {
    const allowed = createSourceFilter([region])
    for (const [other, others] of Object.entries(regionAddresses)) {
      for (const address of others) t.equal(allowed(address), other === region, `${address} under ${region}`)
    }
    t.equal(addresses.length, 3)
  }
  t.end()
})

t.test('addresses and ranges of both families match, also IPv4 that is written as IPv6', t => {
  const allowed = createSourceFilter(['192.0.2.7', '198.51.100.0/24', '2001:db8::1', '2001:db8:1::/48', '::ffff:203.0.113.9', '::ffff:10.1.0.0/112'])
  for (const address of [
    '192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207', '198.51.100.255', '2001:db8::1', '2001:0DB8:0:0::1', '2001:db8:1:2::3',
    '203.0.113.9', '::ffff:203.0.113.9', '10.1.255.255'
  ]) t.equal(allowed(address), true, address)
  for (const address of ['192.0.2.8', '198.51.101.0', '2001:db8::2', '2001:db8:2::', '10.2.0.0', '::1']) {
    t.equal(allowed(address), false, address)
  }
  t.end()
})

t.test('the port that some proxies add to an address does not count', t => {
  const allowed = createSourceFilter(['192.0.2.7', '2001:db8::1'])
  for (const address of ['192.0.2.7:51234', '[2001:db8::1]:443', '[2001:db8::1]', '[::ffff:192.0.2.7]:1']) t.equal(allowed(address), true, address)
  for (const address of ['192.0.2.8:51234', '[2001:db8::2]:443']) t.equal(allowed(address), false, address)
  t.end()
})

t.test('a range of all addresses of one family says nothing about the other', t => {
  t.equal(createSourceFilter(['0.0.0.0/0'])('2001:db8::1'), false)
  t.equal(createSourceFilter(['0.0.0.0/0'])('::ffff:1.2.3.4'), true)
  t.equal(createSourceFilter(['::/0'])('2001:db8::1'), true)
  t.equal(createSourceFilter(['::/0'])('1.2.3.4'), false)
  t.equal(createSourceFilter(['::ffff:0:0/95'])('1.2.3.4'), false)
  t.end()
})

t.test('an unreadable address is refused, and an empty list refuses all', t => {
  const allowed = createSourceFilter(['0.0.0.0/0', '::/0'])
  for (const address of ['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '0x7f.0.0.1', '1.2.3.4:', '1.2.3.4:x', '[1.2.3.4', '[]', '1.2.3.4, 5.6.7.8', '1.2.3.4/32']) {
    t.equal(allowed(address), false, address)
  }
  t.equal(createSourceFilter([])('34.247.197.22'), false)
  t.end()
})

t.test('an entry that is not a region, address or range stops the start, and is named', t => {
  for (const entry of ['', 'eu2', 'EU1', 'toString', '10.0.0.0/33', '::/129', '10.0.0/8', '012.0.0.1', '10.0.0.1 ', 'hooks.voucherify.io', '10.0.0.1/']) {
    t.equal(isSourceEntry(entry), false, entry)
    t.throws(() => createSourceFilter(['eu1', entry]), new TypeError(`"${entry}" is no region, IP address or CIDR range`))
  }
  for (const entry of ['eu1', 'us1', 'as1', '10.0.0.0/8', '10.0.0.1', '::1', '2001:db8::/32']) t.equal(isSourceEntry(entry), true, entry)
  t.end()
})
