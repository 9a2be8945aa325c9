import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { problems } from '../../src/errors/problem.js'
import { describeServiceApi } from '../../src/composition/describe-service-api.js'
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

/** Returns the target of a reference. */
function resolved (reference: string): unknown {
  return reference.replace(/^#\//, '').split('/').reduce<unknown>((value, key) => objectOf(value)[key], document)
}

function answerOf (response: unknown): Json {
  const { $ref: reference } = objectOf(response)
  return typeof reference === 'string' ? objectOf(resolved(reference)) : objectOf(response)
}

t.test('it is OpenAPI 3.1, and every reference leads somewhere', async t => {
  t.match(document, { openapi: '3.1.0', info: { title: 'tierhook', version: '1.2.3' } })
  const references = new Set(referencesOf(document))
  t.ok(references.size > 30)
  for (const reference of references) t.ok(resolved(reference), reference)
  t.notMatch(JSON.stringify(document), /"\$id"|x-tierhook-ref/)
})

t.test('every operation has a summary, a tag, its answers and a unique id', async t => {
  for (const { path, method, operation } of operations) {
    const name = `${method} ${path}`
    t.match(operation['summary'], /^\S.{5,}[^.]$/, name)
    t.match(operation['operationId'], /^[A-Za-z0-9._-]+$/, name)
    t.match(operation['servers'], [{ url: '/', description: path.startsWith('/webhooks') || path.startsWith('/health') ? /^The public listener/ : /^The operator's listener/ }], name)
    const responses = Object.entries(objectOf(operation['responses']))
    t.ok(responses.some(([status]) => status.startsWith('2')), name)
    t.ok(responses.some(([status]) => /^4\d\d$/.test(status)), name)
    t.match(operation['description'], /^\S.*\. \S.*\.$/, name)
    for (const [status, response] of responses) t.match(answerOf(response), { description: /\S/, content: Object }, `${name} ${status}`)
    for (const parameter of path.matchAll(/\{(\w+)\}/g)) {
      t.ok((Array.isArray(operation['parameters']) ? operation['parameters'] : []).some((each) => objectOf(each)['name'] === parameter[1] && objectOf(each)['in'] === 'path'), name)
    }
  }
  const ids = operations.map(({ operation }) => operation['operationId'])
  t.equal(new Set(ids).size, ids.length)
})

t.test('every operator\'s route but the description requires the token, and no webhook route does', async t => {
  for (const { path, operation } of operations) {
    const open = path.startsWith('/webhooks') || path.startsWith('/health') || path === '/docs/json'
    t.same(operation['security'], open ? [] : [{ operatorToken: [] }], path)
  }
})

t.test('every schema compiles, and every example matches its schema', async t => {
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

t.test('every event has its body and its envelope in the description, with a text and an example, and a route', async t => {
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

t.test('refusals are problem details, and the description has every code', async t => {
  const codes = objectOf(objectOf(objectOf(schemas['Problem'])['properties'])['code'])['anyOf']
  t.same(new Set((Array.isArray(codes) ? codes : []).map((each) => objectOf(each)['const'])), new Set(Object.keys(problems)))
  const told = new Set<string>()
  for (const { path, method, operation } of operations) {
    for (const [status, response] of Object.entries(objectOf(operation['responses']))) {
      if (status.startsWith('2') || (path === '/health/ready' && status === '503')) continue
      const { schema, examples } = objectOf(objectOf(answerOf(response)['content'])['application/problem+json'])
      t.same(schema, { $ref: '#/components/schemas/Problem' }, path)
      for (const [code, example] of Object.entries(objectOf(examples))) {
        told.add(code)
        t.match(objectOf(example)['value'], { status: Number(status), code, type: /^urn:tierhook:problem:/ }, `${method} ${path}`)
      }
    }
  }
  t.same(new Set(Object.keys(problems).filter((code) => !told.has(code))), new Set(['METHOD_NOT_ALLOWED']), 'every code but METHOD_NOT_ALLOWED belongs to an operation')
})

t.test('an operation lists exactly the errors that it can answer', async t => {
  const codesOf = (path: string, method: string): Set<string> => new Set(Object.values(objectOf(objectOf(objectOf(paths[path])[method])['responses'])).flatMap((response) => Object.keys(objectOf(objectOf(objectOf(answerOf(response)['content'])['application/problem+json'])['examples']))))
  for (const code of ['TOKEN_READS_ONLY', 'TOKEN_WRONG', 'DELIVERY_UNKNOWN', 'DELIVERY_AMBIGUOUS', 'FORWARDER_UNKNOWN', 'MEDIA_TYPE_UNSUPPORTED']) t.ok(codesOf('/api/deliveries/{id}/replay', 'post').has(code), code)
  for (const code of ['TOKEN_READS_ONLY', 'DELIVERY_UNKNOWN', 'SIGNATURE_WRONG']) t.notOk(codesOf('/api/status', 'get').has(code), code)
  t.notOk(codesOf('/docs/json', 'get').has('TOKEN_WRONG'))
  t.ok(codesOf('/api/events', 'get').has('LISTENERS_TOO_MANY'))
  t.ok(codesOf('/webhooks', 'post').has('SIGNATURE_WRONG'))
})

t.test('the description passes Redocly\'s recommended rules and Spectral\'s', async t => {
  t.match(document, { info: { license: { name: 'MIT', identifier: 'MIT' }, contact: { name: /\S/ }, description: /\S/ }, servers: [{ url: '/' }] })
  const tags = Array.isArray(document['tags']) ? document['tags'].map(objectOf) : []
  for (const tag of tags) t.match(tag, { name: /\S/, description: /\S/ })
  for (const { path, operation } of operations) t.ok(tags.some(({ name }) => Array.isArray(operation['tags']) && operation['tags'].includes(name)), path)
})

t.test('each body of our own answers has an example that matches its schema', async t => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'https://tierhook.example/openapi', ...document })
  for (const { path, method, operation } of operations) {
    for (const holder of [operation['requestBody'], ...Object.values(objectOf(operation['responses'])).map(answerOf)]) {
      for (const [type, media] of Object.entries(objectOf(objectOf(holder)['content']))) {
        const { schema, example, examples } = objectOf(media)
        if (!type.endsWith('json') || JSON.stringify(schema).includes('.envelope')) continue
        const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"https://tierhook.example/openapi#/')))
        const all = example === undefined ? Object.values(objectOf(examples)).map((each) => objectOf(each)['value']) : [example]
        t.ok(all.length > 0, `${method} ${path}`)
        for (const each of all) t.ok(validate(each), `${method} ${path}: ${JSON.stringify(validate.errors)}`)
      }
    }
  }
})
