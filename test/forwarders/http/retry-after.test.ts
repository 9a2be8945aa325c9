import t from 'tap'
import { retryAfterMs } from '../../../src/forwarders/http/retry-after.js'

const now = Date.parse('1994-11-06T08:48:37Z')

t.test('seconds and each form of a date are read', async (t) => {
  const values = ['60', ' 60 ', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']
  for (const value of values) t.equal(retryAfterMs({ 'retry-after': value }, now), 60_000, value)
  t.equal(retryAfterMs({ 'retry-after': ['60', '5'] }, now), 60_000)
})

t.test('a date is compared with the destination\'s clock if the answer shows it', async (t) => {
  const headers = { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT', date: 'Sun, 06 Nov 1994 08:49:36 GMT' }
  t.equal(retryAfterMs(headers, now), 1000)
  t.equal(retryAfterMs({ ...headers, date: 'today' }, now), 60_000)
})

t.test('an invalid, missing or past value is no wait', async (t) => {
  for (const value of ['', '0', '-1', '1.5', 'soon', '2030-01-01', '1 minute', 'Sun, 06 Nov 1994 08:00:00 GMT', 'Xyz, 99 Abc 1994 08:49:37 GMT']) {
    t.equal(retryAfterMs({ 'retry-after': value }, now), undefined, value)
  }
  t.equal(retryAfterMs({}, now), undefined)
  t.equal(retryAfterMs({ 'retry-after': '9'.repeat(400) }, now), Infinity)
})
