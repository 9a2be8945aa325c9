import type { FastifyPluginCallback } from 'fastify'
import { Problem } from '../errors/problem.js'

export interface NotFoundOptions {
  /** What there is instead. */
  readonly detail: string
}

/**
 * Answers what finds no route below its prefix, before any of the body is read: 405 with `Allow` where another method would find one
 * (RFC 9110, section 15.5.6), else 404.
 */
export const notFound: FastifyPluginCallback<NotFoundOptions> = (app, { detail }, done) => {
  // Without a handler of its own, what is below its prefix would not go through its hooks.
  app.setNotFoundHandler(() => {})
  app.addHook('onRequest', ({ url, is404 }, _reply, next) => {
    if (!is404) {
      next()
      return
    }
    const allow = app.supportedMethods.filter((method) => app.findRoute({ url, method }) !== null).sort().join(', ')
    next(allow === '' ? new Problem('NOT_FOUND', { detail }) : new Problem('METHOD_NOT_ALLOWED', { detail: `This path takes ${allow}.`, headers: { allow } }))
  })
  done()
}
