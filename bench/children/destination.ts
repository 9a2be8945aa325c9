import { once } from 'node:events'
import { createServer } from 'node:http'
import { serveParent } from '../child.js'

let hangs = false

/** An HTTP server that does as little as possible: it reads the body, and answers 204 or not at all. */
const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => { if (!hangs) response.writeHead(204).end() })
})

const api = {
  async open (options: { readonly hangs: boolean }): Promise<{ readonly url: string }> {
    hangs = options.hangs
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    return { url: `http://127.0.0.1:${address.port}/hooks` }
  }
}

export type DestinationApi = typeof api

serveParent(api)
