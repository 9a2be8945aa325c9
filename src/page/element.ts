/** A text, or an element made with `element`. Markup cannot be inserted: everything from outside is text. */
export type Child = Node | string | number | null | undefined | false

type Listeners = Readonly<Record<string, (event: Event) => void>>

export interface Properties {
  readonly class?: string | undefined
  readonly on?: Listeners
  readonly [attribute: string]: unknown
}

/** Listeners of elements. They are kept apart so that an element that stays in the page can take over those of its successor. */
const listeners = new WeakMap<Element, Listeners>()
const busy = new WeakSet<Element>()
const SVG = 'http://www.w3.org/2000/svg'

/** Creates an element. Attributes that are `null`, `undefined` or `false` are left out; `true` sets an empty one. */
export function element<K extends keyof HTMLElementTagNameMap> (tag: K, properties: Properties, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), properties, children)
}

/** Creates an SVG element. Attributes work as in `element`. */
export function svg<K extends keyof SVGElementTagNameMap> (tag: K, properties: Properties, ...children: readonly Child[]): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), properties, children)
}

function fill<E extends Element> (made: E, { on, ...attributes }: Properties, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    made.setAttribute(name, value === true ? '' : String(value))
  }
  if (on !== undefined) listeners.set(made, on)
  for (const event of Object.keys(on ?? {})) made.addEventListener(event, (happened) => { listeners.get(made)?.[event]?.(happened) })
  made.append(...toNodes(children))
  return made
}

function toNodes (children: readonly Child[]): Array<Node | string> {
  return children.flatMap((child) => child === null || child === undefined || child === false || child === '' ? [] : [typeof child === 'number' ? String(child) : child])
}

/**
 * Replaces an element's children. Nodes that match are kept, and with them focus, selection, scroll position and typed text. Nodes with a
 * `data-key` match by that key.
 */
export function show (parent: Element, ...children: readonly Child[]): void {
  const wanted = toNodes(children).map((child) => typeof child === 'string' ? document.createTextNode(child) : child)
  const wantedKeys = new Set(wanted.map(keyOf))
  const keyed = new Map<string, ChildNode>()
  for (const child of [...parent.childNodes]) {
    const key = keyOf(child)
    if (key === undefined) continue
    // Remove obsolete nodes first. Otherwise the nodes after them would move, and a moved node loses the focus.
    if (wantedKeys.has(key)) keyed.set(key, child)
    else child.remove()
  }
  let at = parent.firstChild
  for (const next of wanted) {
    const key = keyOf(next)
    const same = key === undefined ? at : keyed.get(key) ?? null
    if (same === null || !isAlike(same, next)) {
      parent.insertBefore(next, at)
      continue
    }
    // Remove nodes without a key before the match, so that the match need not move.
    while (key !== undefined && at !== null && at !== same && keyOf(at) === undefined) at = removed(at)
    if (same === at) at = same.nextSibling
    else parent.insertBefore(same, at)
    if (same !== next) takeOver(same, next)
  }
  while (at !== null) at = removed(at)
}

/** Removes a node and returns its next sibling. */
function removed (node: ChildNode): ChildNode | null {
  const after = node.nextSibling
  node.remove()
  return after
}

function keyOf (node: Node): string | undefined {
  return node instanceof Element ? node.getAttribute('data-key') ?? undefined : undefined
}

function isAlike (node: Node, next: Node): boolean {
  return node === next || (node.nodeName === next.nodeName && keyOf(node) === keyOf(next) && eventsOf(node) === eventsOf(next))
}

function eventsOf (node: Node): string {
  return node instanceof Element ? Object.keys(listeners.get(node) ?? {}).join() : ''
}

function takeOver (node: Node, next: Node): void {
  if (node instanceof Element && next instanceof Element) {
    const on = listeners.get(next)
    if (on !== undefined) listeners.set(node, on)
    for (const name of node.getAttributeNames()) if (!next.hasAttribute(name) && !isOfTheReader(node, name)) node.removeAttribute(name)
    for (const name of next.getAttributeNames()) {
      const value = next.getAttribute(name) ?? ''
      if (node.getAttribute(name) !== value && !isOfTheReader(node, name)) node.setAttribute(name, value)
    }
    show(node, ...next.childNodes)
  } else if (node.nodeValue !== next.nodeValue) {
    node.nodeValue = next.nodeValue
  }
}

/** Whether the reader, or an action that the reader started, controls this attribute. */
function isOfTheReader (node: Element, name: string): boolean {
  return (name === 'open' && node instanceof HTMLDetailsElement) || (name === 'disabled' && busy.has(node))
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet'

export function badge (text: string, tone: Tone, title?: string): HTMLElement {
  return element('span', { class: `badge ${tone}`, title }, text)
}

export interface Column<Row> {
  readonly label: string
  readonly number?: boolean
  readonly cell: (row: Row) => Child | readonly Child[]
}

/** Creates a table, which a narrow screen shows as a list of cards. */
export function table<Row> (caption: string, columns: ReadonlyArray<Column<Row>>, rows: readonly Row[], rowProperties: (row: Row) => Properties = () => ({})): HTMLElement {
  return element('table', {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...columns.map(({ label, number }) => element('th', { scope: 'col', class: number === true ? 'number' : undefined }, label)))),
    element('tbody', {}, ...rows.map((row) => element('tr', rowProperties(row), ...columns.map(({ label, number, cell }) => {
      const content = cell(row)
      return element('td', { 'data-label': label, class: number === true ? 'number' : undefined }, element('span', {}, ...(isList(content) ? content : [content])))
    }))))
  )
}

function isList (content: Child | readonly Child[]): content is readonly Child[] {
  return Array.isArray(content)
}

/** Lists names with their values. Names without a value are left out. */
export function definitions (entries: ReadonlyArray<readonly [string, Child]>): HTMLElement {
  return element('dl', {}, ...entries.flatMap(([name, value]) => value === null || value === undefined || value === '' || value === false
    ? []
    : [element('dt', {}, name), element('dd', {}, value)]))
}

/** Creates a button that is disabled while its action runs. */
export function actionButton (label: string, action: () => Promise<void>, { disabled = false, of }: { readonly disabled?: boolean, readonly of?: string } = {}): HTMLButtonElement {
  return element('button', {
    type: 'button',
    disabled,
    // Gives each button its own name for screen readers, because the labels are the same.
    'aria-label': of === undefined ? undefined : `${label}: ${of}`,
    on: {
      click: ({ currentTarget }) => {
        if (!(currentTarget instanceof HTMLButtonElement)) return
        busy.add(currentTarget)
        currentTarget.disabled = true
        action().finally(() => {
          busy.delete(currentTarget)
          currentTarget.disabled = false
        })
      }
    }
  }, label)
}
