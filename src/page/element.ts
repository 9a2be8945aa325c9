/** A text, or an element that was made with `element`. There is no way to put markup in: all that comes from outside is text. */
export type Child = Node | string | number | null | undefined | false

export interface Properties {
  readonly class?: string | undefined
  readonly on?: Readonly<Record<string, (event: Event) => void>>
  readonly [attribute: string]: unknown
}

/** Makes an element. Attributes that are `null`, `undefined` or `false` are left out; `true` gives an empty one. */
export function element<K extends keyof HTMLElementTagNameMap> (tag: K, properties: Properties, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on' || value === null || value === undefined || value === false) continue
    made.setAttribute(name, value === true ? '' : String(value))
  }
  for (const [event, listener] of Object.entries(properties.on ?? {})) made.addEventListener(event, listener)
  made.append(...children.flatMap((child) => child === null || child === undefined || child === false ? [] : [typeof child === 'number' ? String(child) : child]))
  return made
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

/** A table, which a narrow screen shows as a list of cards. */
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

/** Names with their values; those without a value are left out. */
export function definitions (entries: ReadonlyArray<readonly [string, Child]>): HTMLElement {
  return element('dl', {}, ...entries.flatMap(([name, value]) => value === null || value === undefined || value === '' || value === false
    ? []
    : [element('dt', {}, name), element('dd', {}, value)]))
}

/** A button that does one thing at a time, and says so. */
export function actionButton (label: string, action: () => Promise<void>, disabled = false): HTMLButtonElement {
  const button = element('button', {
    type: 'button',
    disabled,
    on: {
      click: () => {
        button.disabled = true
        action().finally(() => { button.disabled = false })
      }
    }
  }, label)
  return button
}
