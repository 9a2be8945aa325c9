import { catalogue } from '../voucherify/catalogue.js'

export interface OwnUrlsOptions {
  /** The URL before `/webhooks`, as the sender sees it. */
  readonly publicUrl: string
  /** The names with a URL below `/webhooks/custom/`. */
  readonly customWebhooks: readonly string[]
}

/** How a webhook's target relates to us: a URL that tierhook accepts, another URL on our host, or a URL elsewhere. */
export type Target = 'taken' | 'host' | 'elsewhere'

export interface OwnUrls {
  /** The URL to which any webhook may be sent. */
  readonly webhooks: string
  readonly targetOf: (url: string) => Target
}

/** Compares URLs as our router does: it ignores the case of the path, a slash at its end, and the query. */
export function createOwnUrls ({ publicUrl, customWebhooks }: OwnUrlsOptions): OwnUrls {
  const base = new URL(publicUrl)
  // A URL copied from the project settings includes `/webhooks`.
  const prefix = base.pathname.replace(/\/+$/, '').replace(/\/webhooks$/i, '')
  const names = [...catalogue.flatMap(({ type, documentationName }) => [type, documentationName]), ...customWebhooks.map((name) => `custom/${name}`)]
  const taken = new Set(['', ...names.map((name) => `/${name}`)].map((end) => `${prefix}/webhooks${end}`.toLowerCase()))
  return {
    webhooks: `${base.origin}${prefix}/webhooks`,
    targetOf (url) {
      if (!URL.canParse(url)) return 'elsewhere'
      const target = new URL(url)
      if (target.hostname !== base.hostname) return 'elsewhere'
      return target.origin === base.origin && taken.has(pathOf(target)) ? 'taken' : 'host'
    }
  }
}

function pathOf ({ pathname }: URL): string {
  const path = pathname.replace(/\/$/, '').toLowerCase()
  try {
    return decodeURI(path)
  } catch {
    // A path that cannot be decoded is none of ours.
    return path
  }
}
