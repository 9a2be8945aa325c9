import { createReader } from './reader.js'
import { serveThread } from './thread.js'

serveThread(createReader(() => Date.now()))
