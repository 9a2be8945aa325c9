import asyncHooks from 'node:async_hooks'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const { plugin } = await import('@tapjs/typescript')
  plugin()
  process.env.TAP_TYPE_STRIP_ONLY = '1'

  // tap follows each promise from its beginning to its end, to tell which test an error came from that nobody caught, and all that is asynchronous
  // takes a quarter longer. Without that, such an error ends the process, and the file has failed.
  const { createHook } = asyncHooks
  asyncHooks.createHook = () => ({ enable () {}, disable () {} })
  syncBuiltinESMExports()
  // Before there are hooks, through which each of its 250 modules would have to go to another thread and back.
  const { t } = await import('tap')
  asyncHooks.createHook = createHook
  syncBuiltinESMExports()

  // tap removes a test's folder before what the test ends by teardown, if the folder was made before the first teardown was asked for: while
  // a service still writes to it, so that now and then it could not be removed, and the service was left running.
  const nothing = () => {}
  t.teardown(nothing)
  t.beforeEach((t) => { t.teardown(nothing) })
}
createRequire(import.meta.url)('./before.cjs').enableSourceMaps()
