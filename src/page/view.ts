import { element, show, type Child } from './element.js'

/** A view in the page, made for the part of the address after `#/`. */
export interface View {
  readonly node: Node
  /** Fetches anew what it shows. Not called again before it is done. */
  readonly update: () => Promise<void>
  /** Whether it is enough that it follows every some seconds, instead of each change. */
  readonly slow?: boolean
}

/** A view of one section, which shows what `draw` gives. It is busy until it does so for the first time. */
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

/** What the address says of a view: `#/deliveries/<id>?customerId=…`. */
export interface Address {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

export function readAddress (hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  return { path: path.split('/').filter((part) => part !== '').map(decoded), query: new URLSearchParams(query) }
}

/** Itself where it cannot be decoded: a person may have typed it. */
function decoded (part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // A percent sign that begins no byte.
    return part
  }
}

export function addressOf (path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  return `#/${path.map(encodeURIComponent).join('/')}${search.size === 0 ? '' : `?${search.toString()}`}`
}

/** What a view may ask of the page around it. */
export interface Surroundings {
  /** Shows a message until the next one, or none; `done`: what was asked for is done. */
  readonly notify: (message: string | undefined, kind?: 'done') => void
}
