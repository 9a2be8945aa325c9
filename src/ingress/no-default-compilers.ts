/**
 * Fastify's `schemaController` for an app that sets compilers of its own: where none are named from the start, Fastify loads its
 * default ones, which make a third of the time that it takes to load.
 */
export const noDefaultCompilers = { compilersFactory: { buildValidator: () => unused, buildSerializer: () => unused } }

function unused (): never {
  throw new TypeError('An app without default compilers must set its own')
}
