import type { FastifyPluginCallback } from 'fastify'
import { Problem } from '../errors/problem.js'

export interface NotFoundOptions {
  /** The problem's detail: which paths there are instead. */
  readonly detail: string
}

/**
 * Answers requests below its prefix that match no route, before any of the body is read: 405 with `Allow` if another method would match (RFC
 * 9110, section 15.5.6), else 404.
 */
export const notFound: FastifyPluginCallback<NotFoundOptions> = (app, { detail }, done) => {
  // Fastify runs this plugin's hooks for unknown paths only if the plugin has its own handler.
  app.setNotFoundHandler(() => {})
  app.addHook('onRequest', ({ url, is404 }, _reply, next) => {
    if (!is404) {
      next()
      return
    }
    const allow = app.supportedMethods.filter((method) => app.findRoute({ url, method }) !== null).sort().join(', ')
    next(allow === '' ? new Problem('NOT_FOUND', { detail }) : new Problem('METHOD_NOT_ALLOWED', { detail: `This path supports only ${allow}.`, headers: { allow } }))
  })
  done()
}
