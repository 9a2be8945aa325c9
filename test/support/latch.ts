/** Something to wait for that another piece of the test lets happen. */
export function latch (): { readonly open: () => void, readonly opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  return { open: () => { open() }, opened }
}
