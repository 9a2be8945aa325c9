import { createStore } from './store.js'
import { emitToMain, serveThread } from '../../threads/serve-thread.js'
import { createWriter } from './writer.js'

serveThread(createStore(createWriter(() => Date.now()), { monotonic: () => performance.now(), onCommit: emitToMain }))
