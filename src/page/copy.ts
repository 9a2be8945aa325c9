import { actionButton } from './element.js'
import type { Surroundings } from './view.js'

/** A button that copies a text, and says so. */
export function copyButton (label: string, text: () => string, notify: Surroundings['notify']): HTMLButtonElement {
  return actionButton(`Copy ${label}`, async () => {
    await copy(text())
    notify(`Copied: ${label}.`, 'done')
  })
}

/** Browsers give the clipboard to pages of this machine and of HTTPS alone; the others have the older way. */
async function copy (text: string): Promise<void> {
  if (isSecureContext) {
    await navigator.clipboard.writeText(text)
    return
  }
  const field = document.createElement('textarea')
  field.value = text
  document.body.append(field)
  field.select()
  document.execCommand('copy')
  field.remove()
}
