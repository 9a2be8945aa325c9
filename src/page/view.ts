import { element, show, type Child } from './element.js'

/** A view of the page, made for the part of the address after `#/`. */
export interface View {
  readonly node: Node
  /** Fetches the content again. Must not be called again before it resolves. */
  readonly update: () => Promise<void>
  /** Whether it updates every few seconds instead of on every change. */
  readonly slow?: boolean
}

/** Creates a view of one section with the content of `draw`. It is busy until the first content is shown. */
export function sectionView (label: string, draw: () => Promise<readonly Child[]>, { slow = false, tag = 'section' }: { readonly slow?: boolean, readonly tag?: 'section' | 'article' } = {}): View {
  const node = element(tag, { 'aria-label': label, 'aria-busy': 'true' })
  return {
    node,
    async update () {
      const parts = await draw()
      node.removeAttribute('aria-busy')
      show(node, ...parts)
    },
    slow
  }
}

/** The address of a view: `#/deliveries/<id>?customerId=…`. */
export interface Address {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

export function readAddress (hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  return { path: path.split('/').filter((part) => part !== '').map(decoded), query: new URLSearchParams(query) }
}

/** Decodes a part of the address. Returns it unchanged if it cannot be decoded, because a person may have typed it. */
function decoded (part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // A percent sign without a valid byte after it.
    return part
  }
}

export function addressOf (path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  return `#/${path.map(encodeURIComponent).join('/')}${search.size === 0 ? '' : `?${search.toString()}`}`
}

/** What the page offers its views. */
export interface ViewContext {
  /** Shows a message until the next call; `undefined` hides it. `done` marks a success. */
  readonly notify: (message: string | undefined, kind?: 'done') => void
}
