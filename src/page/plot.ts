import { element, svg } from './element.js'
import { plural } from './format.js'

/** Counts over time of one event type. */
export interface Series {
  readonly name: string
  readonly counts: readonly number[]
}

export interface BarsOptions {
  readonly label: string
  readonly startedAt: string
  readonly everyMs: number
  readonly series: readonly Series[]
}

const WIDTH = 720
const HEIGHT = 120
const LEFT = 34
const BOTTOM = 18

/** Draws stacked bars of the counts per time slot. Colours come from the classes `kind-0`, `kind-1` and so on. */
export function bars ({ label, startedAt, everyMs, series }: BarsOptions): SVGElement {
  const slots = series[0]?.counts.length ?? 0
  const totals = Array.from({ length: slots }, (_, index) => series.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0))
  const top = niceTop(Math.max(1, ...totals))
  const width = (WIDTH - LEFT) / Math.max(1, slots)
  const scale = (HEIGHT - BOTTOM - 8) / top
  const floor = HEIGHT - BOTTOM
  const below = new Array<number>(slots).fill(0)
  const drawn = series.map(({ name, counts }, kind) => svg('path', {
    class: `kind-${kind}`,
    d: counts.map((count, index) => {
      if (count === 0) return ''
      const start = below[index] ?? 0
      below[index] = start + count
      return `M${round(LEFT + index * width)} ${round(floor - start * scale)}h${round(Math.max(1, width - 1))}v${round(-count * scale)}h${round(-Math.max(1, width - 1))}z`
    }).join('')
  }, svg('title', {}, `${name}: ${plural(counts.reduce((sum, count) => sum + count, 0), 'event')}`)))
  const lines = [top, top / 2].map((value) => svg('g', {},
    svg('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: round(floor - value * scale), y2: round(floor - value * scale) }),
    svg('text', { x: LEFT - 6, y: round(floor - value * scale) + 4, 'text-anchor': 'end' }, String(value))))
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => svg('text', {
    x: round(LEFT + share * (WIDTH - LEFT)), y: HEIGHT - 4, 'text-anchor': share === 0 ? 'start' : share === 1 ? 'end' : 'middle'
  }, new Date(Date.parse(startedAt) + share * slots * everyMs).toISOString().slice(11, 16)))
  return svg('svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
    ...lines, svg('line', { class: 'axis', x1: LEFT, x2: WIDTH, y1: floor, y2: floor }), ...drawn, ...times)
}

/** Lists the names of the colours with their sums. */
export function legend (series: readonly Series[]): HTMLElement {
  return element('ul', { class: 'legend' }, ...series.map(({ name, counts }, kind) => element('li', {},
    svg('svg', { viewBox: '0 0 10 10', width: 10, height: 10, 'aria-hidden': 'true' }, svg('rect', { class: `kind-${kind}`, width: 10, height: 10, rx: 2 })),
    ' ', element('code', {}, name), ` ${counts.reduce((sum, count) => sum + count, 0).toLocaleString('en')}`)))
}

/** Draws a small line of a value over time. A `null` leaves a gap. */
export function sparkline (values: ReadonlyArray<number | null>, label: string): SVGElement {
  const most = Math.max(1, ...values.map((value) => value ?? 0))
  let pen = 'M'
  const path = values.map((value, index) => {
    if (value === null) {
      pen = 'M'
      return ''
    }
    const point = `${pen}${round(index * 120 / Math.max(1, values.length - 1))} ${round(22 - 20 * value / most)}`
    // A single point is visible only as a short line.
    const mark = pen === 'M' ? `${point}h.5` : point
    pen = 'L'
    return mark
  }).join('')
  return svg('svg', { class: 'sparkline', viewBox: '0 0 120 24', role: 'img', 'aria-label': label }, svg('line', { class: 'axis', x1: 0, x2: 120, y1: 23, y2: 23 }), svg('path', { d: path }))
}

/** Returns a round number that is at least `most`, and whose half is whole. */
function niceTop (most: number): number {
  const power = 10 ** Math.floor(Math.log10(most))
  return Math.max(2, [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= most) ?? most)
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
