import type { Status } from './answers.js'
import { ApiError, get, setToken } from './api.js'
import { deadLettersView } from './dead-letters-view.js'
import { deliveriesView } from './deliveries-view.js'
import { deliveryView } from './delivery-view.js'
import { driftView } from './drift-view.js'
import { element } from './element.js'
import { forwardersView } from './forwarders-view.js'
import { followChanges } from './live.js'
import { quarantineView } from './quarantine-view.js'
import { senderView } from './sender-view.js'
import { readAddress, type Address, type Surroundings, type View } from './view.js'

const views: ReadonlyArray<{ readonly name: string, readonly label: string, readonly make: (address: Address, surroundings: Surroundings) => View }> = [
  {
    name: 'deliveries',
    label: 'Deliveries',
    make: (address, surroundings) => address.path[1] === undefined ? deliveriesView(address) : deliveryView(address.path[1], surroundings)
  },
  { name: 'forwarders', label: 'Forwarders', make: forwardersView },
  { name: 'quarantine', label: 'Quarantine', make: (_address, surroundings) => quarantineView(surroundings) },
  { name: 'dead-letters', label: 'Dead letters', make: deadLettersView },
  { name: 'sender', label: 'Sender', make: senderView },
  { name: 'drift', label: 'Drift', make: driftView }
]

const content = required('content')
const notice = required('notice')
const readiness = required('readiness')
const live = required('live')
const menu = required('views')

let current: View | undefined
let updating = false
let updateAgain = false
let following = false

function required (id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`There is no element with the id ${id}`)
  return found
}

function notify (message: string | undefined): void {
  notice.hidden = message === undefined
  notice.textContent = message ?? ''
}

function open (): void {
  const address = readAddress(location.hash)
  const chosen = views.find(({ name }) => name === address.path[0]) ?? views[0]
  if (chosen === undefined) return
  menu.replaceChildren(...views.map(({ name, label }) => element('li', {}, element('a', { href: `#/${name}`, 'aria-current': name === chosen.name ? 'page' : undefined }, label))))
  document.title = `${chosen.label} – tierhook`
  notify(undefined)
  current = chosen.make(address, { notify })
  content.replaceChildren(current.node)
  update()
}

/** Never two updates at once; what changes during one makes another follow. None while the token is asked for: that would empty the field again. */
function update (): void {
  const view = current
  if (view === undefined) return
  if (updating) {
    updateAgain = true
    return
  }
  updating = true
  updateAgain = false
  Promise.all([showStatus(), view.update()])
    .then(() => {
      if (!following) follow()
    })
    .catch((error: unknown) => { if (view === current) explain(error) })
    .finally(() => {
      updating = false
      if (updateAgain || view !== current) update()
    })
}

async function showStatus (): Promise<void> {
  const { ready, reasons, version } = await get<Status>('/api/status')
  readiness.textContent = ready ? 'ready' : `not ready: ${reasons.join('; ')}`
  readiness.className = `badge ${ready ? 'good' : 'bad'}`
  readiness.title = `tierhook ${version}`
}

function explain (error: unknown): void {
  if (error instanceof ApiError && error.status === 401) askForToken()
  else notify(error instanceof ApiError ? error.message : 'The service does not answer. It is tried again.')
}

function askForToken (): void {
  current = undefined
  const field = element('input', { type: 'password', name: 'token', autocomplete: 'current-password', required: true })
  content.replaceChildren(element('form', {
    on: {
      submit: (event) => {
        event.preventDefault()
        setToken(field.value.trim())
        open()
      }
    }
  }, element('label', {}, 'ADMIN_TOKEN of this service', field), element('button', { type: 'submit' }, 'Open')))
  field.focus()
}

function follow (): void {
  following = true
  followChanges({
    onChange: update,
    onState: (state) => { live.textContent = state === 'live' ? 'live' : 'not connected, trying again' }
  }).catch(explain)
}

// A click on a button that fails ends here.
addEventListener('unhandledrejection', (event) => {
  event.preventDefault()
  explain(event.reason)
})
addEventListener('hashchange', () => {
  open()
  content.focus()
})
open()
