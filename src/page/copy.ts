import { actionButton } from './element.js'
import type { ViewContext } from './view.js'

/** Creates a button that copies a text and confirms it. */
export function copyButton (label: string, text: () => string, notify: ViewContext['notify']): HTMLButtonElement {
  return actionButton(`Copy ${label}`, async () => {
    await copy(text())
    notify(`Copied: ${label}.`, 'done')
  })
}

/** Browsers offer the clipboard API only on HTTPS and localhost. Elsewhere, use the older `execCommand`. */
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
