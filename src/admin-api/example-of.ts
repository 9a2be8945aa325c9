type JsonSchema = Readonly<Record<string, unknown>>

const TIME = '2026-01-31T08:00:00.000Z'

/** Example strings by property name, for schemas without an example. */
const texts: Readonly<Record<string, string>> = {
  id: '01983f1c-5d2a-7c3e-9d0e-1f2a3b4c5d6e',
  ids: '01983f1c-5d2a-7c3e-9d0e-1f2a3b4c5d6e',
  eventType: 'customer.loyalty.tier.upgraded',
  customerId: 'cust_nM4jqPiaXUvQdVSA6vTRUnix',
  campaignId: 'camp_5eb10ad53fde8bb69c2ac8d7',
  sourceId: 'distr_1185e5ccb04689f592fc7ffb',
  eventId: 'ev_86bf79f96241',
  projectId: 'proj_164913973e44d0fe',
  name: 'http',
  forwarder: 'http',
  forwarders: 'http',
  destination: 'https://shop.example/…',
  type: 'http',
  version: '1.0.0',
  pointer: '/data/customer/id',
  message: 'Webhook accepted',
  expectation: 'customer.loyalty.tier.*'
}

/** Builds an example for a schema, the same each time: every property is present, and a union gives its first member. `name` is the property. */
export function exampleOf (schema: JsonSchema, schemas: Readonly<Record<string, unknown>>, name = ''): unknown {
  if (typeof schema['$ref'] === 'string') return exampleOf(objectOf(schemas[schema['$ref'].replace('#/components/schemas/', '')]), schemas, name)
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['examples'])) return schema['examples'][0]
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  if (Array.isArray(schema['allOf'])) return Object.assign({}, ...schema['allOf'].map((part: unknown) => exampleOf(objectOf(part), schemas, name)))
  if (Array.isArray(schema['anyOf'])) return exampleOf(objectOf(schema['anyOf'][0]), schemas, name)
  switch (schema['type']) {
    case 'string': return schema['format'] === 'date-time' ? TIME : texts[name] ?? 'text'
    case 'integer':
    case 'number': return Math.min(Math.max(Number(schema['minimum'] ?? 1), 1), Number(schema['maximum'] ?? Infinity))
    case 'boolean': return true
    case 'null': return null
    case 'array': return [exampleOf(objectOf(schema['items']), schemas, name)]
    default: return Object.fromEntries(Object.entries(objectOf(schema['properties'])).map(([key, member]) => [key, exampleOf(objectOf(member), schemas, key)]))
  }
}

/** Copies an object; returns an empty one for any other value. */
export function objectOf (value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
