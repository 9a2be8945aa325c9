import { catalogue } from '../voucherify/catalogue.js'

export interface OwnUrlsOptions {
  /** What stands before `/webhooks`, as the sender sees it. */
  readonly publicUrl: string
  /** The names that have a URL below `/webhooks/custom/`. */
  readonly customWebhooks: readonly string[]
}

/** How a webhook's target stands to us: at a URL that is taken here, at our host but where nothing is taken, or elsewhere. */
export type Target = 'taken' | 'host' | 'elsewhere'

export interface OwnUrls {
  /** Where any webhook may go. */
  readonly webhooks: string
  readonly targetOf: (url: string) => Target
}

/** Compares URLs as our router does: the case of a path, a slash at its end and the query make no difference. */
export function createOwnUrls ({ publicUrl, customWebhooks }: OwnUrlsOptions): OwnUrls {
  const base = new URL(publicUrl)
  // Whoever copies the address out of the project settings has it with its end.
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
    // What cannot be decoded is no path of ours.
    return path
  }
}
