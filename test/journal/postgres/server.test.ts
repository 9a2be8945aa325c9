import t from 'tap'
import { noPostgres, startPostgres } from '../../support/postgres-server.js'

t.test('a server starts, keeps committed data over a crash, and ends', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t, { settings: [] })
  await server.query('CREATE TABLE kept AS SELECT 1 AS n')
  await server.stop('immediate')
  await t.rejects(server.query('SELECT 1'), { code: 'ECONNREFUSED' })
  await server.start()
  t.strictSame(await server.query('SELECT n FROM kept'), [{ n: 1 }])
})
