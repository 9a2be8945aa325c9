import type { App } from './app-types.js'

/**
 * Notes each route that is added from here on, and tells the methods that a path takes, so that a known path with another
 * method can be answered 405 with `Allow` (RFC 9110, section 15.5.6) instead of 404.
 */
export function trackAllowedMethods (app: App): (path: string) => readonly string[] {
  const routes = new Map<string, { pattern: RegExp, methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() }
    for (const each of Array.isArray(method) ? method : [method]) route.methods.add(each)
    routes.set(url, route)
  })
  return (path) => {
    const methods = new Set<string>()
    for (const route of routes.values()) {
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method)
    }
    return [...methods].sort()
  }
}

/** A parameter is anything but a slash. */
function toPattern (url: string): RegExp {
  const parts = url.split(/(:[A-Za-z]+)/).map((part) => part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('')}/?$`, 'i')
}
