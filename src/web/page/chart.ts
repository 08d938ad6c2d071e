import uPlot from 'uplot'
import type { Panel } from '../panels.js'
import { align, nearest, type Points } from './curves.js'
import { dashOf, lineSample, make } from './elements.js'
import { short } from './text.js'

/** A drawn curve. */
export interface DrawnCurve extends Points {
  readonly label: string
  readonly colour: string
  /** Index of the panel's series, which determines the dashes. */
  readonly series: number
}

export interface Range {
  readonly min: number
  readonly max: number
}

/** Height of the charts, CSS pixels. */
const HEIGHT = 220
/** Curves with fewer points show each of them. */
const DOTS_BELOW = 40
/** Lines of the read-out at most. */
const READ_OUT = 12
/** Distance from the cursor within which an end of a curve is read, CSS pixels. */
const NEAR = 8
/** Part of the visible range that a key moves the cursor by, and part that a zoom keeps. */
const [STRIDE, KEEP] = [0.02, 0.5]

/** A panel's chart, with its title, the choice of its series and a read-out of the values under the cursor. */
export class Chart {
  readonly element: HTMLElement
  readonly panel: Panel
  readonly #box = make('div', { class: 'plot', role: 'group' })
  readonly #readOut = make('div', { class: 'read-out', role: 'status' })
  readonly #hidden = new Set<number>()
  readonly #onZoom: (range: Range | undefined) => void
  #plot: uPlot | undefined
  /** Inputs of a plot; a change of any makes a new plot. */
  #made = ''
  #curves: readonly DrawnCurve[] = []
  /** Label of the x axis. */
  #label = ''

  /**
   * @param onZoom called with a range selected here; undefined for the whole run
   * @param onSeries called when the selection of series changes
   */
  constructor(panel: Panel, onZoom: (range: Range | undefined) => void, onSeries: () => void) {
    this.panel = panel
    this.#onZoom = onZoom
    this.element = make('figure', { class: 'panel' }, make('h3', {}, panel.title), this.#choice(onSeries))
    this.element.append(this.#box, make('figcaption', {}, panel.note))
    this.#box.tabIndex = 0
    this.#box.append(this.#readOut)
    this.#box.addEventListener('keydown', (event) => this.#onKey(event))
    this.#box.addEventListener('dblclick', () => onZoom(undefined))
    for (const event of ['mouseleave', 'blur'])
      this.#box.addEventListener(event, () => this.#readOut.replaceChildren())
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#box)
  }

  /** Whether a series of the panel is switched on. */
  shows(series: number): boolean {
    return !this.#hidden.has(series)
  }

  /**
   * @param label of the x axis
   * @param range visible part of it; undefined for all
   */
  draw(curves: readonly DrawnCurve[], label: string, range: Range | undefined): void {
    this.#curves = curves
    this.#label = label
    this.#box.setAttribute('aria-label', `${this.panel.title}, ${this.panel.unit}: ${curves.length} curves`)
    const data = align(curves) as uPlot.AlignedData
    const made = JSON.stringify([
      label,
      scheme(),
      curves.map(({ colour, series, x }) => [colour, series, dotted(x)]),
    ])
    if (this.#plot && made === this.#made) this.#plot.setData(data, false)
    else {
      this.#plot?.destroy()
      this.#plot = new uPlot(this.#options(), data, this.#box)
      this.#made = made
    }
    this.zoom(range)
  }

  zoom(range: Range | undefined): void {
    if (!this.#plot) return
    const x = this.#plot.data[0]
    if (x.length > 0) this.#plot.setScale('x', range ?? { min: x[0], max: x[x.length - 1] })
  }

  /** Check boxes of the series, if there are several. */
  #choice(onSeries: () => void): HTMLElement {
    const { series, title } = this.panel
    const element = make('div', { class: 'series', role: 'group', label: `Curves of ${title}` })
    if (series.length < 2) return element
    for (const [i, { label }] of series.entries()) {
      const box = make('input')
      box.type = 'checkbox'
      box.checked = true
      box.addEventListener('change', () => {
        if (box.checked) this.#hidden.delete(i)
        else this.#hidden.add(i)
        onSeries()
      })
      element.append(make('label', {}, box, lineSample(dashOf(i)), label))
    }
    return element
  }

  #size(): { width: number; height: number } {
    return { width: this.#box.clientWidth, height: HEIGHT }
  }

  #options(): uPlot.Options {
    const styles = getComputedStyle(document.documentElement)
    const [stroke, faint] = ['--text', '--grid'].map((name) => styles.getPropertyValue(name).trim())
    const lines = { stroke: faint, width: 1 }
    const shared = { stroke, grid: lines, ticks: lines, font: '12px system-ui', labelFont: '12px system-ui' }
    const values = (_: uPlot, splits: number[]) => splits.map(short)
    return {
      ...this.#size(),
      legend: { show: false },
      scales: { x: { time: false }, y: { range: rangeOf } },
      axes: [
        { ...shared, label: this.#label, labelSize: 22, size: 34, values },
        {
          ...shared,
          label: this.panel.unit,
          labelSize: 22,
          size: (_: uPlot, texts: string[] | null) => widthOf(texts ?? []),
          values,
        },
      ],
      series: [
        {},
        ...this.#curves.map(({ colour, series, x }) => ({
          stroke: colour,
          width: 1.75,
          dash: dashOf(series).split(' ').filter(Boolean).map(Number),
          // Points of other curves lie between those of one.
          spanGaps: true,
          points: { show: dotted(x), size: 5, fill: colour },
        })),
      ],
      cursor: {
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        sync: { key: 'runs', filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
      },
      hooks: {
        setCursor: [(plot) => this.#read(plot)],
        setSelect: [(plot) => this.#select(plot)],
      },
    }
  }

  #select(plot: uPlot): void {
    const { left, width } = plot.select
    if (width < 2) return
    const [min, max] = [left, left + width].map((at) => plot.posToVal(at, 'x'))
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    this.#onZoom({ min, max })
  }

  /** Shows the values of the curves nearest to the cursor, in the chart that has the pointer or the focus. */
  #read(plot: uPlot): void {
    const { left = -1 } = plot.cursor
    if (left < 0 || !this.#box.matches(':hover, :focus')) return this.#readOut.replaceChildren()
    const x = plot.posToVal(left, 'x')
    const near = Math.abs(plot.posToVal(left + NEAR, 'x') - x)
    const covering = this.#curves.filter((curve) => curve.x[0] - near <= x && x <= curve.x.at(-1)! + near)
    const rows = covering.slice(0, READ_OUT).map((curve) => {
      const i = nearest(curve.x, x)
      return make(
        'p',
        {},
        lineSample(dashOf(curve.series), curve.colour),
        `${curve.label} `,
        make('b', {}, short(curve.y[i])),
      )
    })
    const rest = covering.length - rows.length
    const head = make('p', {}, `${this.#label}: ${short(x)}`)
    this.#readOut.replaceChildren(head, ...rows, ...(rest > 0 ? [make('p', {}, `and ${rest} more`)] : []))
  }

  #onKey(event: KeyboardEvent): void {
    const plot = this.#plot
    const action = plot && KEYS[event.key]
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const { min = 0, max = 1 } = plot.scales['x'] as Partial<Range>
    const { left = -1 } = plot.cursor
    const width = plot.over.clientWidth
    const at = left < 0 ? width / 2 : left
    if (action.move !== undefined)
      plot.setCursor({ left: Math.min(width, Math.max(0, at + action.move * STRIDE * width)), top: 10 })
    else if (action.zoom === undefined) this.#onZoom(undefined)
    else {
      const centre = plot.posToVal(at, 'x')
      const half = ((max - min) / 2) * action.zoom
      this.#onZoom({ min: centre - half, max: centre + half })
    }
  }
}

/** Effects of keys in a chart: move the cursor, zoom by a factor, or show the whole run. */
const KEYS: Readonly<Record<string, { readonly move?: number; readonly zoom?: number } | undefined>> = {
  ArrowLeft: { move: -1 },
  ArrowRight: { move: 1 },
  '+': { zoom: KEEP },
  '-': { zoom: 1 / KEEP },
  '0': {},
}

/** Space for the labels of the y axis, CSS pixels. */
function widthOf(texts: readonly string[]): number {
  return 26 + 7 * Math.max(0, ...texts.map(({ length }) => length))
}

/** Visible part of the y axis. */
function rangeOf(_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
  // Counts that are all 0, or no numbers at all.
  return min === null || max === null || (min === 0 && max === 0)
    ? [0, 1]
    : uPlot.rangeNum(min, max, 0.1, true)
}

function dotted(x: readonly number[]): boolean {
  return x.length < DOTS_BELOW
}

function scheme(): boolean {
  return matchMedia('(prefers-color-scheme: dark)').matches
}
