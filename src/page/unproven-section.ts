import type { Unproven } from './answers.js'
import { badge, element, table, type Column } from './element.js'
import { switchOff, time } from './format.js'

type Refusals = Unproven['refused'][number]
type Address = Unproven['addresses'][number]

const columns: ReadonlyArray<Column<Address>> = [
  { label: 'Address', cell: ({ address, known }) => [address === null ? 'others' : element('code', {}, address), ' ', known ? badge('signed before', 'warn', 'Signed webhooks came from this address.') : null] },
  { label: 'Refused', number: true, cell: ({ count }) => count },
  { label: 'First', cell: ({ firstAt }) => time(firstAt) },
  { label: 'Last answer', cell: ({ lastCode, lastAt }) => [element('code', {}, lastCode), ' ', time(lastAt)] }
]

/** Shows refused requests that are not proven to come from Voucherify. Most likely the secret was rotated, or another sender made them. */
export function unprovenSection ({ signedAt, refused, addresses }: Unproven): HTMLElement {
  return element('div', {},
    element('h3', {}, 'Unproven'),
    element('p', { class: 'quiet small' }, 'Requests without a right signature. Anyone may have sent them, so they are counted separately.'),
    element('p', { class: 'small' }, ...signedAt === null ? ['No new signed webhook has been accepted yet.'] : ['The last new signed webhook was accepted ', time(signedAt), '.']),
    ...refused.map(suspicion),
    addresses.length > 0 && table('Refused without proof in the last 24 hours', columns, addresses)
  )
}

function suspicion ({ from, count, since, lastCode, triesUsed, triesAllowed, disabledAt, advice }: Refusals): HTMLElement {
  const known = from === 'known'
  return element('p', {},
    badge('unproven', known ? 'warn' : 'quiet'),
    ` ${count} refused from ${known ? 'addresses that signed webhooks came from' : 'other addresses'} since `, time(since),
    ', the last one with ', element('code', {}, lastCode), ', and no new signed webhook was accepted after that. ',
    known && lastCode.startsWith('SIGNATURE_') && 'Most likely the secret was rotated. ',
    ...known ? [`If this is Voucherify, at most ${triesUsed} of its ${triesAllowed} tries are used. It switches the webhook off: `, ...switchOff(disabledAt), '. '] : [],
    advice
  )
}
