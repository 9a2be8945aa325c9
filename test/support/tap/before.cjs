'use strict'

// Runs before tap does, in each process of the tests. What tap prepares in every one of them costs half a second each, and is for what is not
// done here: mocking modules, and knowing which files a test has read. Coverage needs none of it.
const Module = require('node:module')

// Hooks of its own see each module loaded, and pass its text and the map to its source to the other thread; those of its own modules, too.
const { register } = Module
Module.register = (specifier, parentURL, options) => {
  const from = parentURL?.parentURL ?? parentURL
  if (!String(from).includes('/node_modules/@tapjs/')) register(specifier, parentURL, options)
}
Module.syncBuiltinESMExports()
process.env._TAPJS_PROCESSINFO_EXCLUDE_ = String.raw`/(^(node|tapmock):|[\\\/](\.tap|tap-snapshots|node_modules)[\\\/])/`

// Node reads the map to the source of each module, also of those of tap, once maps are on.
const { setSourceMapsEnabled } = process
if (process.execArgv.some((argument) => argument.endsWith('/typescript/register.js'))) {
  process.setSourceMapsEnabled(false)
  process.setSourceMapsEnabled = () => {}
}
/** To be called when tap is loaded. */
exports.enableSourceMaps = () => {
  process.setSourceMapsEnabled = setSourceMapsEnabled
  process.setSourceMapsEnabled(true)
}

// Of the programs that the tests start, only the one that is tested is measured.
if (!/\.test\.ts$|\/dist\/main\.js$/.test(process.argv[1] ?? '')) process.env._TAPJS_PROCESSINFO_COVERAGE_ = '0'

// Programs that the tests start have folders of their own.
const { NODE_OPTIONS } = process.env
if (NODE_OPTIONS !== undefined) process.env.NODE_OPTIONS = NODE_OPTIONS.replace('./test/support/tap/before.cjs', () => __filename)
