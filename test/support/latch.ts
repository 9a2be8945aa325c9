/** Makes a promise that another part of the test resolves. */
export function latch (): { readonly open: () => void, readonly opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  return { open: () => { open() }, opened }
}
