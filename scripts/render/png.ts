import { encode } from 'fast-png'
import type { Picture } from './trace.js'

/** Colours that a file may have. */
const COLOURS = 256

/** A colour of a picture. `weight` grows less than the number of pixels that have it, so that small parts count. */
interface Colour {
  readonly rgb: readonly [r: number, g: number, b: number]
  readonly weight: number
}

/** The different colours of a picture, and which of them each pixel has. */
function countColours({ data }: Picture): { colours: Colour[]; ofPixel: Int32Array } {
  const found = new Map<number, { rgb: Colour['rgb']; pixels: number; index: number }>()
  const ofPixel = new Int32Array(data.length / 3)
  for (let i = 0; i < ofPixel.length; i++) {
    const [r, g, b] = [data[3 * i], data[3 * i + 1], data[3 * i + 2]]
    const key = (r << 16) | (g << 8) | b
    let colour = found.get(key)
    if (colour === undefined) found.set(key, (colour = { rgb: [r, g, b], pixels: 0, index: found.size }))
    colour.pixels++
    ofPixel[i] = colour.index
  }
  const colours = [...found.values()].map(({ rgb, pixels }) => ({ rgb, weight: pixels ** 0.75 }))
  return { colours, ofPixel }
}

/** A box of colours; `spread` is the weighted variance of its most varied channel. */
interface ColourBox {
  readonly colours: readonly Colour[]
  readonly mean: readonly number[]
  readonly axis: number
  readonly spread: number
}

function measure(colours: readonly Colour[]): ColourBox {
  const weight = colours.reduce((sum, colour) => sum + colour.weight, 0)
  const mean = [0, 1, 2].map((k) => colours.reduce((sum, c) => sum + c.weight * c.rgb[k], 0) / weight)
  const spreads = mean.map((m, k) =>
    colours.reduce((sum, c) => sum + c.weight * (c.rgb[k] - m) * (c.rgb[k] - m), 0),
  )
  const axis = spreads.indexOf(Math.max(...spreads))
  return { colours, mean, axis, spread: colours.length === 1 ? 0 : spreads[axis] }
}

/** P. Heckbert's median cut (1982), splitting the box of the greatest variance at its mean. */
function choosePalette(colours: readonly Colour[]): number[][] {
  const boxes = [measure(colours)]
  while (boxes.length < COLOURS) {
    const widest = boxes.reduce((best, box, i) => (box.spread > boxes[best].spread ? i : best), 0)
    const { colours: inside, axis, mean, spread } = boxes[widest]
    if (spread === 0) break
    const low = inside.filter(({ rgb }) => rgb[axis] <= mean[axis])
    const high = inside.filter(({ rgb }) => rgb[axis] > mean[axis])
    boxes.splice(widest, 1, measure(low), measure(high))
  }
  return boxes.map(({ mean }) => mean.map(Math.round))
}

function nearest(palette: readonly number[][], colour: readonly number[]): number {
  let best = 0
  let least = Infinity
  palette.forEach((entry, i) => {
    const [r, g, b] = [0, 1, 2].map((k) => entry[k] - colour[k])
    const distance = r * r + g * g + b * b
    if (distance < least) [best, least] = [i, distance]
  })
  return best
}

/**
 * A PNG of at most 256 colours. The same picture gives the same bytes.
 * @param text keywords and what they say, stored in the file
 */
export function encodePng(picture: Picture, text: Record<string, string> = {}): Uint8Array {
  const { colours, ofPixel } = countColours(picture)
  const palette = choosePalette(colours)
  const entries = colours.map(({ rgb }) => nearest(palette, rgb))
  const { width, height } = picture
  return encode(
    {
      width,
      height,
      depth: 8,
      channels: 1,
      palette,
      data: Uint8Array.from(ofPixel, (colour) => entries[colour]),
      text,
    },
    { zlib: { level: 9 } },
  )
}
