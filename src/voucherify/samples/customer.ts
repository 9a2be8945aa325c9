import type { Customer } from '../objects/customer.js'
import type { Recipe } from './recipe.js'

/** Makes an invented customer, another one for each index. */
export function sampleCustomer (recipe: Recipe): Customer {
  const { index } = recipe
  const customer: Customer = {
    id: recipe.id('cust_', index),
    name: recipe.pick(
      'name', 'Nadia Okafor', 'Zoë Brontë-Lindqvist', 'Søren Østergård', '陳美玲', 'Łukasz Żółw', 'مريم حداد', 'Ana "Nana" Reis', 'O’Shea 🎈'
    ),
    email: recipe.pick('email', null, `member-${index}@shop.example`, `member+${index}@mail.example`),
    source_id: `member-${index}`,
    metadata: recipe.pick('metadata', {}, { region: 'EMEA' }, { städte: ['Köln', 'Łódź'], vip: index % 2 === 0, score: 1.5 }),
    object: 'customer'
  }
  if (index % 6 !== 5) return customer
  const { name, email, ...bare } = customer
  return bare
}
