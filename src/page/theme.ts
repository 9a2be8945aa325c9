import { show } from './element.js'

const themes = ['auto', 'light', 'dark'] as const
const KEPT = 'tierhook-theme'

/** Lets a button choose between light, dark and the system's theme. The choice is kept in this browser. */
export function chooseTheme (button: HTMLElement): void {
  let chosen = themes.find((each) => each === localStorage.getItem(KEPT)) ?? 'auto'
  const draw = (): void => {
    document.documentElement.dataset['theme'] = chosen
    show(button, `Theme: ${chosen}`)
  }
  button.addEventListener('click', () => {
    chosen = themes[(themes.indexOf(chosen) + 1) % themes.length] ?? 'auto'
    localStorage.setItem(KEPT, chosen)
    draw()
  })
  draw()
}
