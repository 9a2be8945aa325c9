import { ValueErrorType, type ValueError } from '@sinclair/typebox/errors'

const fixed: Partial<Record<ValueErrorType, string>> = {
  [ValueErrorType.Array]: 'must be an array',
  [ValueErrorType.Boolean]: 'must be a boolean',
  [ValueErrorType.Integer]: 'must be an integer',
  [ValueErrorType.Null]: 'must be null',
  [ValueErrorType.Number]: 'must be a number',
  [ValueErrorType.Object]: 'must be an object',
  [ValueErrorType.ObjectAdditionalProperties]: 'is not known',
  [ValueErrorType.ObjectRequiredProperty]: 'is required',
  [ValueErrorType.String]: 'must be a string'
}

// The schema keyword that was violated, and the words before its value.
const bounds: Partial<Record<ValueErrorType, readonly [keyword: string, words: string]>> = {
  [ValueErrorType.ArrayMaxItems]: ['maxItems', 'must have no more items than'],
  [ValueErrorType.ArrayMinItems]: ['minItems', 'must have no fewer items than'],
  [ValueErrorType.IntegerMaximum]: ['maximum', 'must be <='],
  [ValueErrorType.IntegerMinimum]: ['minimum', 'must be >='],
  [ValueErrorType.Literal]: ['const', 'must be'],
  [ValueErrorType.NumberMaximum]: ['maximum', 'must be <='],
  [ValueErrorType.NumberMinimum]: ['minimum', 'must be >='],
  [ValueErrorType.StringMaxLength]: ['maxLength', 'must have no more characters than'],
  [ValueErrorType.StringMinLength]: ['minLength', 'must have no fewer characters than']
}

/** Returns the fault in a few words. They come from the schema and never contain the value, which may be personal or long. */
export function messageOf (error: Pick<ValueError, 'type' | 'schema'>): string {
  const words = fixed[error.type]
  if (words !== undefined) return words
  const bound = bounds[error.type]
  if (bound !== undefined) return `${bound[1]} ${String(error.schema[bound[0]])}`
  if (error.type === ValueErrorType.StringFormat) return formatMessage(error.schema['format'])
  return 'does not match its schema'
}

function formatMessage (format: unknown): string {
  return format === 'date-time' ? 'must be an ISO 8601 date-time' : `must be a well-formed ${String(format)}`
}
