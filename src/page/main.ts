import type { Status } from './answers.js'
import { actionsView } from './actions-view.js'
import { ApiError, hasToken, setToken } from './api.js'
import { customerView } from './customer-view.js'
import { deadLettersView } from './dead-letters-view.js'
import { deliveriesView } from './deliveries-view.js'
import { deliveryView } from './delivery-view.js'
import { driftView } from './drift-view.js'
import { element, show } from './element.js'
import { forwardersView } from './forwarders-view.js'
import { watchHealth } from './health.js'
import { followChanges } from './live.js'
import { overviewView } from './overview-view.js'
import { createPlaces } from './places.js'
import { quarantineView } from './quarantine-view.js'
import { senderView } from './sender-view.js'
import { chooseTheme } from './theme.js'
import { readAddress, type Address, type ViewContext, type View } from './view.js'

interface Place {
  readonly name: string
  readonly label: string
  readonly make: (address: Address, surroundings: ViewContext) => View
  /** How many of its items need the operator; shown in the menu. */
  readonly count?: (status: Status) => number | null
  /** Whether the menu leaves it out because other views link to it. */
  readonly apart?: boolean
}

const views: readonly Place[] = [
  { name: 'overview', label: 'Overview', make: overviewView },
  {
    name: 'deliveries',
    label: 'Deliveries',
    make: (address, surroundings) => address.path[1] === undefined ? deliveriesView(address, surroundings) : deliveryView(address.path[1], surroundings)
  },
  { name: 'forwarders', label: 'Forwarders', make: forwardersView, count: ({ needs }) => needs.filter(({ kind }) => kind.includes('down') || kind.includes('forwarder')).length },
  { name: 'quarantine', label: 'Quarantine', make: (_address, surroundings) => quarantineView(surroundings), count: ({ counts }) => counts.quarantined },
  { name: 'dead-letters', label: 'Dead letters', make: deadLettersView, count: ({ counts }) => counts.deadLetters },
  { name: 'sender', label: 'Sender', make: senderView, count: ({ needs }) => needs.filter(({ kind }) => kind === 'webhook' || kind === 'retry budget' || kind === 'missing events').length },
  { name: 'drift', label: 'Drift', make: driftView },
  { name: 'actions', label: 'Actions', make: actionsView },
  { name: 'customers', label: 'Customer', make: ({ path }) => customerView(path[1] ?? ''), apart: true }
]

const content = required('content')
const notice = required('notice')
const menu = required('views')

const places = createPlaces(content)
let current: View | undefined
let shown: Place | undefined
let status: Status | undefined
/** The view after whose first update the status was requested. */
let asked: View | undefined
let updating = false
let updateAgain = false
let following = false

/** Whether the notice says that the service does not answer. */
let unanswered = false

const health = watchHealth({ readiness: required('readiness'), live: required('live'), needs: required('needs') }, {
  isAsked,
  onStatus (answer) {
    status = answer
    drawMenu()
    if (unanswered) notify(undefined)
    if (current?.slow === true && asked === current) update()
  },
  onError: explain
})

function required (id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`There is no element with the id ${id}`)
  return found
}

function notify (message: string | undefined, kind?: 'done'): void {
  notice.className = kind ?? ''
  notice.hidden = message === undefined
  notice.textContent = message ?? ''
  unanswered = false
}

function drawMenu (): void {
  show(menu, ...views.filter(({ apart }) => apart !== true).map(({ name, label, count }) => {
    const waiting = status === undefined ? undefined : count?.(status) ?? undefined
    return element('li', {}, element('a', { href: `#/${name}`, 'aria-current': name === shown?.name ? 'page' : undefined },
      label, waiting !== undefined && waiting > 0 && element('span', { class: 'count' }, ` ${waiting.toLocaleString('en')}`)))
  }))
}

function open (): void {
  const address = readAddress(location.hash)
  const chosen = views.find(({ name }) => name === address.path[0]) ?? views[0]
  if (chosen === undefined) return
  shown = chosen
  drawMenu()
  document.title = `${chosen.label} – tierhook`
  document.body.dataset['view'] = chosen.name
  notify(undefined)
  current = places.arrive(() => chosen.make(address, { notify }))
  update()
}

/**
 * Runs one update at a time. A change during an update starts another one after it. Does nothing while the token is asked for, because an update
 * would empty the field.
 */
function update (): void {
  const view = current
  if (view === undefined) return
  if (updating) {
    updateAgain = true
    return
  }
  updating = true
  updateAgain = false
  view.update()
    .then(() => { if (!following) follow() })
    .catch((error: unknown) => { if (view === current) explain(error) })
    .finally(() => {
      updating = false
      if (view === current && asked !== view) {
        asked = view
        health.ask()
      }
      if (updateAgain || view !== current) update()
    })
}

function explain (error: unknown): void {
  if (error instanceof ApiError && (error.status === 401 || error.status === 429)) {
    askForToken()
    // The form itself says that a token is needed.
    notify(error.status === 401 && !hasToken() ? undefined : error.status === 401 ? 'This token is wrong. Enter another one.' : error.message)
    return
  }
  notify(error instanceof ApiError ? error.message : 'The service does not answer. This page tries again.')
  unanswered = !(error instanceof ApiError)
}

function askForToken (): void {
  if (current === undefined) return
  current = undefined
  const field = element('input', { type: 'password', name: 'token', autocomplete: 'current-password', required: true, 'aria-describedby': 'notice' })
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

/** False while the token is asked for, because every request with a wrong token counts as one more wrong token. */
function isAsked (): boolean {
  return current !== undefined
}

function follow (): void {
  following = true
  followChanges({ isAsked, onChange: () => { if (current?.slow !== true) update() }, onState: (state) => { health.setLive(state === 'live') } }).catch(explain)
}

// Errors of buttons arrive here.
addEventListener('unhandledrejection', (event) => {
  event.preventDefault()
  explain(event.reason)
})
addEventListener('hashchange', () => {
  places.leave()
  open()
})
chooseTheme(required('theme'))
open()
