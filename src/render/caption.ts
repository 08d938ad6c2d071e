import { agentColour } from './colours.js'
import { strokeRadius, textWidth, traceText } from './font.js'
import type { Picture } from './trace.js'

/** Text of a picture. */
export interface Caption {
  /** Large, in the upper left corner. */
  readonly title: string
  /** Below the title. */
  readonly lines: readonly string[]
  /** In the upper right corner. */
  readonly source: string
  /** Names of the agents, in the lower left corner with their colours. */
  readonly agents: readonly string[]
}

type Rgb = readonly [r: number, g: number, b: number]

const INK: Rgb = [38, 48, 63]
const FAINT: Rgb = [92, 104, 122]
const HALO: Rgb = [250, 251, 253]
/** Heights of capitals and the margin over the height of the picture. */
const LARGE = 1 / 22
const SMALL = 1 / 36
const MARGIN = 1 / 24
const SMALLEST_TEXT = 6
/** Rows that the names of the agents may take. */
const MOST_ROWS = 3

/** Writes a caption on a picture. */
export function drawCaption(picture: Picture, caption: Caption): void {
  const { width, height } = picture
  const large = Math.max(1.3 * SMALLEST_TEXT, LARGE * height)
  const small = Math.max(SMALLEST_TEXT, SMALL * height)
  const margin = MARGIN * height
  let baseline = margin + large
  write(picture, caption.title, margin, baseline, large, INK)
  for (const line of caption.lines) {
    baseline += 2 * small
    write(picture, line, margin, baseline, small, FAINT)
  }
  const right = width - margin - textWidth(caption.source, small)
  const free = right > margin + textWidth(caption.title, large) + 2 * large
  if (free) write(picture, caption.source, right, margin + large, small, FAINT)
  drawLegend(picture, caption.agents, small, margin)
}

function drawLegend(picture: Picture, agents: readonly string[], size: number, margin: number): void {
  const gap = 1.8 * size
  const widths = agents.map((name) => 1.7 * size + textWidth(name, size))
  const places: { agent: number; x: number; row: number }[] = []
  let x = margin
  let row = 0
  for (const [agent, width] of widths.entries()) {
    if (x > margin && x + width > picture.width - margin) {
      x = margin
      row++
    }
    places.push({ agent, x, row })
    x += width + gap
  }
  if (row >= MOST_ROWS) return
  for (const { agent, x, row: own } of places) {
    const baseline = picture.height - margin - 2 * size * (row - own)
    const middle = baseline - size / 2
    const visit = (px: number, py: number, distance: number) =>
      mix(picture, px, py, rgbOf(agentColour(agent)), distance)
    disc(x + 0.5 * size, middle, 0.62 * size + 1, (px, py, distance) =>
      mix(picture, px, py, HALO, distance - 0.62 * size - 0.5),
    )
    disc(x + 0.5 * size, middle, 0.62 * size, (px, py, distance) =>
      visit(px, py, distance - 0.62 * size + 0.5),
    )
    write(picture, agents[agent], x + 1.7 * size, baseline, size, INK)
  }
}

function rgbOf(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

function disc(
  x: number,
  y: number,
  radius: number,
  visit: (x: number, y: number, distance: number) => void,
): void {
  const reach = radius + 1
  for (let py = Math.floor(y - reach); py <= y + reach; py++) {
    for (let px = Math.floor(x - reach); px <= x + reach; px++) {
      const [dx, dy] = [px + 0.5 - x, py + 0.5 - y]
      visit(px, py, Math.sqrt(dx * dx + dy * dy))
    }
  }
}

/** Text with a light edge, which keeps it readable in front of dark things. */
function write(
  picture: Picture,
  text: string,
  left: number,
  baseline: number,
  height: number,
  ink: Rgb,
): void {
  const radius = strokeRadius(height)
  const edge = radius + Math.max(1, 0.12 * height)
  const place = { left, baseline, height }
  stamp(picture, text, place, edge, HALO)
  stamp(picture, text, place, radius, ink)
}

/** Strokes of one thickness. A pixel has the colour of the stroke nearest to it, once. */
function stamp(
  picture: Picture,
  text: string,
  place: { readonly left: number; readonly baseline: number; readonly height: number },
  radius: number,
  colour: Rgb,
): void {
  const nearest = new Map<number, number>()
  traceText(text, place, radius + 0.5, (x, y, distance) => {
    if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) return
    const at = y * picture.width + x
    if (distance < (nearest.get(at) ?? Infinity)) nearest.set(at, distance)
  })
  for (const [at, distance] of nearest)
    mix(picture, at % picture.width, Math.floor(at / picture.width), colour, distance - radius)
}

/** Covers a pixel with a colour. @param outside distance of its centre from the edge, negative inside */
function mix({ width, height, data }: Picture, x: number, y: number, colour: Rgb, outside: number): void {
  const share = Math.max(0, Math.min(1, 0.5 - outside))
  if (share === 0 || x < 0 || y < 0 || x >= width || y >= height) return
  const at = 3 * (y * width + x)
  for (let k = 0; k < 3; k++)
    data[at + k] = Math.floor(data[at + k] + share * (colour[k] - data[at + k]) + 0.5)
}
