import { Type } from '@sinclair/typebox'
import { answerProblems } from '../http/problem-answer.js'
import type { ApiDescription } from './api-description.js'
import type { OperatorRouteConfig } from './authorize.js'
import type { App } from '../http/app.js'

export interface DocsRouteOptions {
  readonly describe: () => Promise<ApiDescription>
}

/** Plain text, because a built-in viewer would add 3 MB of packages for a page that few open. */
const HINT = `The API is described as OpenAPI 3.1 at /docs/json; "npx tierhook openapi" prints the same.

To read it in a browser, save it and open it in any viewer of OpenAPI, such as
  npx @redocly/cli build-docs openapi.json
`

const open: OperatorRouteConfig = { open: true }

/**
 * Adds `/docs`, which says how to read the description, and `/docs/json`, which is built on the first request. Both are open: neither contains
 * anyone's data.
 */
export function addDocsRoutes (app: App, { describe }: DocsRouteOptions): void {
  let described: Promise<ApiDescription> | undefined

  async function description (): Promise<ApiDescription> {
    described ??= describe().catch((error: unknown) => {
      // Let the next request try again.
      described = undefined
      throw error
    })
    return await described
  }

  app.get('/docs/json', {
    config: open,
    schema: {
      operationId: 'getDescription',
      summary: 'This description, as OpenAPI 3.1',
      tags: ['Service'],
      response: { 200: Type.Object({}, { description: 'An OpenAPI 3.1 document.' }), ...answerProblems }
    }
  }, async () => await description())

  app.get('/docs', { config: open, schema: { hide: true } }, async (_request, reply) => {
    await reply.header('x-content-type-options', 'nosniff').type('text/plain; charset=utf-8').send(HINT)
  })
}
