/**
 * The documentation's statements about values that are not enforced, because Voucherify's own events break them. Our schemas contain them under
 * two additional keywords. Validators ignore unknown keywords, and drift reads them.
 */

/** The documentation's statement about a key that it marks as required. */
export interface DocumentedKey {
  /** Whether the documentation says that it may be null. */
  readonly orNull?: boolean
  /** The key is required only if another key of the same object has this value. */
  readonly where?: { readonly key: string, readonly value: string }
}

/** The additional keywords. JSON Schema has none of these names. */
export interface DocumentedKeywords {
  /** On the schema of a property: the documentation marks its key as required. */
  readonly documentedKey?: DocumentedKey
  /** On the schema of a string: the values that the documentation lists. */
  readonly documentedValues?: readonly string[]
}

/** Returns the additional keywords of a schema. */
export function documentedKeywords (schema: object): DocumentedKeywords {
  return schema
}
