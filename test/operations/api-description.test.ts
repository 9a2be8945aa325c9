import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { problems } from '../../src/errors.js'
import { describeServiceApi } from '../../src/describe-service-api.js'
import { catalogue } from '../../src/voucherify/catalogue.js'

type Json = Record<string, unknown>

function objectOf (value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const document = await describeServiceApi({ version: '1.2.3' })
const paths = objectOf(document['paths'])
const schemas = objectOf(objectOf(document['components'])['schemas'])
const operations = Object.entries(paths).flatMap(([path, item]) => Object.entries(objectOf(item)).map(([method, operation]) => ({ path, method, operation: objectOf(operation) })))

function referencesOf (value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesOf)
  return Object.entries(objectOf(value)).flatMap(([key, each]) => key === '$ref' && typeof each === 'string' ? [each] : referencesOf(each))
}

t.test('it is OpenAPI 3.1, and every reference leads somewhere', async t => {
  t.match(document, { openapi: '3.1.0', info: { title: 'tierhook', version: '1.2.3' } })
  const references = new Set(referencesOf(document))
  t.ok(references.size > 30)
  for (const reference of references) t.ok(Object.hasOwn(schemas, reference.replace('#/components/schemas/', '')), reference)
  t.notMatch(JSON.stringify(document), /"\$id"|x-tierhook-ref/)
})

t.test('every operation says what it is for, where it is, what it answers, and has an id of its own', async t => {
  for (const { path, method, operation } of operations) {
    const name = `${method} ${path}`
    t.match(operation['summary'], /^\S.{5,}[^.]$/, name)
    t.match(operation['operationId'], /^[A-Za-z0-9._-]+$/, name)
    t.match(operation['servers'], [{ url: path.startsWith('/webhooks') || path.startsWith('/health') ? /:3000$/ : /:3001$/ }], name)
    const responses = Object.entries(objectOf(operation['responses']))
    t.ok(responses.some(([status]) => status.startsWith('2')), name)
    for (const [status, response] of responses) t.match(response, { description: /\S/, content: Object }, `${name} ${status}`)
    for (const parameter of path.matchAll(/\{(\w+)\}/g)) {
      t.ok((Array.isArray(operation['parameters']) ? operation['parameters'] : []).some((each) => objectOf(each)['name'] === parameter[1] && objectOf(each)['in'] === 'path'), name)
    }
  }
  const ids = operations.map(({ operation }) => operation['operationId'])
  t.equal(new Set(ids).size, ids.length)
})

t.test('every operator\'s route asks for the token, but the description; no webhook does', async t => {
  for (const { path, operation } of operations) {
    const open = path.startsWith('/webhooks') || path.startsWith('/health') || path === '/docs/json'
    t.same(operation['security'], open ? [] : [{ operatorToken: [] }], path)
  }
})

t.test('every schema compiles, and every example is as its schema says', async t => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'https://tierhook.example/openapi', ...document })
  for (const [name, schema] of Object.entries(schemas)) {
    const validate = ajv.compile({ $ref: `https://tierhook.example/openapi#/components/schemas/${name}` })
    const examples: unknown = objectOf(schema)['examples']
    if (!Array.isArray(examples)) continue
    for (const example of examples) t.ok(validate(example), `${name}: ${JSON.stringify(validate.errors)}`)
  }
})

t.test('every event has its body and its envelope in it, with a description and an example, and a route', async t => {
  for (const { type, documentationName } of catalogue) {
    for (const name of [type, `${type}.envelope`]) t.match(schemas[name], { description: /\S/, examples: [Object] }, name)
    for (const name of [type, documentationName]) {
      t.match(paths[`/webhooks/${name}`], {
        post: {
          requestBody: { content: { 'application/json': { schema: { anyOf: [{ $ref: `#/components/schemas/${type}.envelope` }, { $ref: `#/components/schemas/${type}` }] } } } },
          parameters: [{ in: 'header', name: 'x-voucherify-signature', required: false }]
        }
      })
    }
  }
})

t.test('a refusal is a problem, with every code that there is', async t => {
  const codes = objectOf(objectOf(objectOf(schemas['Problem'])['properties'])['code'])['anyOf']
  t.same(new Set((Array.isArray(codes) ? codes : []).map((each) => objectOf(each)['const'])), new Set(Object.keys(problems)))
  for (const { path, operation } of operations.filter(({ path }) => !path.startsWith('/health'))) {
    t.match(operation['responses'], { '4XX': { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } }, path)
  }
})
