import { serveThread } from './thread.js'
import { createWriter } from './writer.js'

serveThread(createWriter(() => Date.now()))
