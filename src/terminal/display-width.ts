const ascii = /^[\x20-\x7E]*$/
/** East Asian characters that take two columns: the blocks that Unicode (UAX #11) calls wide or fullwidth. */
const wide = /^[\u1100-\u115F\u2329\u232A\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1D300}-\u{1D376}\u{1F200}-\u{1F265}\u{20000}-\u{3FFFD}]/u
/** An emoji: by itself, by the U+FE0F after it, or as a flag of two letters. */
const picture = /^\p{Emoji_Presentation}|^\p{Extended_Pictographic}\uFE0F|^[\d#*]\uFE0F?\u20E3|^\p{Regional_Indicator}{2}/u
/** Marks combined with the letter before them, and joiners. Without a letter they take no column. */
const joining = /^[\p{Mark}\u200C\u200D]+$/u

/** Created on first use, because that takes some milliseconds and a service may never need it. */
let segmenter: Intl.Segmenter | undefined

function segments (text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** Returns how many columns a printable text takes on a terminal. */
export function displayWidth (text: string): number {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const { segment } of segments(text)) width += widthOf(segment)
  return width
}

/** Returns as much of the beginning of a text as fits into the given number of columns. A grapheme is never split. */
export function cutToWidth (text: string, columns: number): string {
  if (ascii.test(text)) return text.slice(0, columns)
  let width = 0
  for (const { segment, index } of segments(text)) {
    width += widthOf(segment)
    if (width > columns) return text.slice(0, index)
  }
  return text
}

function widthOf (grapheme: string): number {
  if (joining.test(grapheme)) return 0
  return wide.test(grapheme) || picture.test(grapheme) ? 2 : 1
}
