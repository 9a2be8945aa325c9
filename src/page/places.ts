import type { View } from './view.js'

/** A view as the reader left it. */
interface Left {
  readonly view: View
  readonly scrollY: number
  readonly focused: Element | null
}

export interface Places {
  /** Remembers the current view with its scroll position and focus. */
  readonly leave: () => void
  /** Shows a view: the remembered one if the reader goes back or forward, or a new one. */
  readonly arrive: (make: () => View) => View
}

/** How many views are remembered, each with its loaded content. */
const REMEMBERED = 20

/** Whether the reader came from another view of this page. */
export function hasPreviousView (): boolean {
  return (numberOf(history.state) ?? 0) > 1
}

/** Keeps views as the reader left them, for going back. */
export function createPlaces (content: HTMLElement): Places {
  const left = new Map<number, Left>()
  let last = 0
  let number = 0
  let current: View | undefined
  history.scrollRestoration = 'manual'

  /** Returns the name of the search form's field that has the focus. */
  function fieldName (): string | undefined {
    const { activeElement } = document
    return activeElement?.closest('form[role=search]') === null ? undefined : activeElement?.getAttribute('name') ?? undefined
  }

  return {
    leave () {
      if (current === undefined) return
      left.set(number, { view: current, scrollY, focused: content.contains(document.activeElement) ? document.activeElement : null })
      const [oldest] = left.keys()
      if (left.size > REMEMBERED && oldest !== undefined) left.delete(oldest)
    },

    arrive (make) {
      const known = numberOf(history.state)
      const before = known === undefined ? undefined : left.get(known)
      const field = current === undefined ? undefined : fieldName()
      const isFirst = current === undefined
      number = known ?? ++last
      last = Math.max(last, number)
      history.replaceState({ number }, '')
      current = before?.view ?? make()
      content.replaceChildren(current.node)
      scrollTo(0, before?.scrollY ?? 0)
      if (before?.focused instanceof HTMLElement) before.focused.focus({ preventScroll: true })
      else if (field !== undefined && before === undefined) content.querySelector<HTMLElement>(`form[role=search] [name="${field}"]`)?.focus()
      else if (!isFirst) content.focus({ preventScroll: true })
      return current
    }
  }
}

function numberOf (state: unknown): number | undefined {
  return typeof state === 'object' && state !== null && 'number' in state && typeof state.number === 'number' ? state.number : undefined
}
