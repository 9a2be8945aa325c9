import { once } from 'node:events'
import { createServer } from 'node:http'
import { serveParent } from '../child.js'

/** An HTTP server that does as little as it can: reads the body, answers 204. */
const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => { response.writeHead(204).end() })
})

const api = {
  async open (): Promise<{ readonly url: string }> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    return { url: `http://127.0.0.1:${address.port}/hooks` }
  }
}

export type DestinationApi = typeof api

serveParent(api)
