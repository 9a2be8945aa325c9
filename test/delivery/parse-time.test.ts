import t from 'tap'
import { parseTime } from '../../src/delivery/parse-time.js'

t.test('a time is parsed as by Date.parse, and a day that does not exist is refused', async (t) => {
  for (const text of ['2026-02-28', '2028-02-29', '2026-01-31T23:30:00-05:00', '2026-01-31T08:00:00.123456789Z']) t.equal(parseTime(text), Date.parse(text), text)
  for (const text of ['2026-02-30', '2026-02-29T00:00:00Z', '2026-04-31T10:00:00+02:00', '2026-13-01', '2026-01-32', '2026-01-00:', '2026-01-005', '2026-01-005 10:00Z', '2026-01-023', '0002-13-05', '0007-05-00', '2026-01-01T25:00:00Z', 'Mon, 01 Jan 2024 00:00:00 GMT', '', '1', 'Jan 1 2024']) t.ok(Number.isNaN(parseTime(text)), text)
})
