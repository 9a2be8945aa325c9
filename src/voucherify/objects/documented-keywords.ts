/**
 * What the documents say of a value and no event is held to, since Voucherify's own events break it. It stands in our schemas under
 * two keywords of their own: validators pass over keywords that they do not know, and drift reads them.
 */

/** What the documents say of a key that they mark as required. */
export interface DocumentedKey {
  /** Whether they say that it may be null. */
  readonly orNull?: boolean
  /** The key is required only where another key of the same object has this value. */
  readonly where?: { readonly key: string, readonly value: string }
}

/** The keywords; those of JSON Schema have other names. */
export interface DocumentedKeywords {
  /** On the schema of a property: the documents mark its key as required. */
  readonly documentedKey?: DocumentedKey
  /** On the schema of a string: the values that the documents list. */
  readonly documentedValues?: readonly string[]
}

/** What a schema says under them. */
export function documentedKeywords (schema: object): DocumentedKeywords {
  return schema
}
