import Fastify from 'fastify'
import { createRequire } from 'node:module'
import t from 'tap'
import { noDefaultCompilers } from '../../src/http/app.js'

const loaded = (): boolean => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/node_modules/ajv/'))

t.test('an app with its own compilers works without Fastify\'s, which are not loaded', async (t) => {
  const before = loaded()
  const app = Fastify({ schemaController: noDefaultCompilers })
  app.setValidatorCompiler(() => (value: unknown) => Object.hasOwn(Object(value), 'wanted') ? { value } : { error: new Error('It is wanted') })
  app.setSerializerCompiler(() => () => '"answer"')
  const schema = { querystring: { type: 'object' }, response: { 200: { type: 'object' } } }
  app.get('/', { schema }, async () => ({}))
  t.equal((await app.inject('/?wanted')).body, '"answer"')
  t.equal((await app.inject('/')).statusCode, 400)
  t.equal(loaded(), before)
})

t.test('an app without compilers fails at its start', async (t) => {
  const app = Fastify({ schemaController: noDefaultCompilers })
  app.get('/', { schema: { querystring: { type: 'object' } } }, async () => '')
  await t.rejects(async () => await app.ready())
})
