/** A metric where an expression reads it. */
export interface Selector {
  readonly metric: string
  /** What each label is matched with, without the quotes. */
  readonly matchers: ReadonlyMap<string, string>
  /** The function that it stands in directly, such as `rate`; empty for none. */
  readonly within: string
}

export interface Expression {
  readonly selectors: readonly Selector[]
  /** The labels of every `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  readonly groupings: readonly string[]
}

const token = /\s+|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<duration>(?:\d+(?:ms|[smhdwy]))+)|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<name>[a-zA-Z_:][\w:]*)|(?<mark>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}[\],@])/gy
const aggregators = new Set(['sum', 'min', 'max', 'avg', 'count', 'topk', 'bottomk', 'quantile', 'group', 'stddev'])
const functions = new Set(['rate', 'increase', 'delta', 'changes', 'predict_linear', 'histogram_quantile', 'min_over_time', 'max_over_time', 'avg_over_time', 'absent', 'vector', 'time', 'clamp_min', 'clamp_max'])
const groupers = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const words = new Set(['and', 'or', 'unless', 'bool', 'offset'])
const closing: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' }

/**
 * What a PromQL expression reads. It knows the language's tokens, brackets, functions and where labels stand, which is enough to
 * find a metric that is not there; it is no parser.
 * @throws Error naming what it does not understand
 */
export function readPromql (text: string): Expression {
  const tokens = tokensOf(text)
  const selectors: Selector[] = []
  const groupings: string[] = []
  /** Each open bracket's closing one, and the function that it belongs to. */
  const open: Array<{ readonly closes: string, readonly of: string }> = []
  for (let at = 0; at < tokens.length; at += 1) {
    const word = tokens[at] ?? ''
    const closes = closing[word]
    if (closes !== undefined) open.push({ closes, of: word === '(' ? tokens[at - 1] ?? '' : open.at(-1)?.of ?? '' })
    else if (/^[)}\]]$/.test(word)) {
      if (open.pop()?.closes !== word) throw new Error(`${word} closes nothing in ${text}`)
    } else if (!/^[a-zA-Z_:]/.test(word) || words.has(word)) continue
    else if (groupers.has(word)) {
      const end = tokens.indexOf(')', at)
      if (tokens[at + 1] === '(') {
        groupings.push(...tokens.slice(at + 2, end).filter(label => label !== ','))
        at = end
      }
    } else if (tokens[at + 1] === '(' || groupers.has(tokens[at + 1] ?? '')) {
      if (!functions.has(word) && !aggregators.has(word)) throw new Error(`${word} is no function, in ${text}`)
    } else {
      const end = tokens[at + 1] === '{' ? tokens.indexOf('}', at) : at
      if (end === -1) throw new Error(`{ is not closed in ${text}`)
      selectors.push({ metric: word, matchers: matchersOf(tokens.slice(at + 2, end), text), within: open.at(-1)?.of ?? '' })
      at = end
    }
  }
  if (open.length > 0) throw new Error(`${open.length} brackets are not closed in ${text}`)
  if (selectors.length === 0) throw new Error(`there is no metric in ${text}`)
  return { selectors, groupings }
}

/** The names and values in `name="value", …`. */
function matchersOf (tokens: readonly string[], text: string): Map<string, string> {
  const matchers = new Map<string, string>()
  for (let at = 0; at < tokens.length; at += 4) {
    const [label = '', operator = '', value = '', comma = ','] = tokens.slice(at, at + 4)
    if (!/^\w+$/.test(label) || !/^(?:=|!=|=~|!~)$/.test(operator) || !/^["']/.test(value) || comma !== ',') throw new Error(`${label}${operator}${value}${comma} is no matcher, in ${text}`)
    matchers.set(label, value.slice(1, -1))
  }
  return matchers
}

function tokensOf (text: string): string[] {
  token.lastIndex = 0
  const tokens: string[] = []
  while (token.lastIndex < text.length) {
    const from = token.lastIndex
    const found = token.exec(text)
    if (found === null) throw new Error(`${text.slice(from)} is no PromQL, in ${text}`)
    if (found[0].trim() !== '') tokens.push(found[0])
  }
  return tokens
}
