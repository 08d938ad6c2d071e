type Child = Node | string

interface Attributes {
  readonly class?: string
  readonly title?: string
  readonly role?: string
  readonly scope?: string
  readonly label?: string
}

/** Makes an element. Texts become text nodes, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes) as [string, string][])
    element.setAttribute(key === 'label' ? 'aria-label' : key, value)
  element.append(...children)
  return element
}

/** The element of the page with an id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T
}

/** Dashes of a panel's series, in order; further ones begin again. */
const DASHES = ['', '7 4', '2 3', '9 3 2 3'] as const

export function dashOf(series: number): string {
  return DASHES[series % DASHES.length]
}

/** A short line, as in a chart. @param colour of CSS; the text's where it is absent */
export function lineSample(dash: string, colour = 'currentColor'): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(namespace, 'svg')
  const line = document.createElementNS(namespace, 'line')
  const attributes = {
    x1: 1,
    x2: 27,
    y1: 5,
    y2: 5,
    stroke: colour,
    'stroke-width': 2.5,
    'stroke-dasharray': dash,
  }
  for (const [key, value] of Object.entries(attributes)) line.setAttribute(key, String(value))
  for (const [key, value] of Object.entries({ width: 28, height: 10, 'aria-hidden': true }))
    svg.setAttribute(key, String(value))
  svg.append(line)
  return svg
}

/** Number of colours of runs in the style sheet. */
const COLOURS = 10

/** Colour of a run, as the style sheet has it for the light or the dark scheme. */
export function colourOf(run: number): string {
  return getComputedStyle(document.documentElement)
    .getPropertyValue(`--run-${run % COLOURS}`)
    .trim()
}
