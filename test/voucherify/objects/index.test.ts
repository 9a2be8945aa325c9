import { KindGuard } from '@sinclair/typebox'
import t from 'tap'
import * as objects from '../../../src/voucherify/objects/index.js'

t.test('every object schema is described', t => {
  for (const [name, schema] of Object.entries(objects)) {
    t.ok(schema.description, `${name} is described`)
    if (!KindGuard.IsObject(schema)) continue
    for (const [key, property] of Object.entries(schema.properties)) t.ok(property.description, `${name}.${key} is described`)
  }
  t.end()
})
