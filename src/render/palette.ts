/** Colours of a palette as bytes: red, green, blue. */
export type Palette = readonly (readonly [r: number, g: number, b: number])[]

/** A colour and how much it counts. */
interface Colour {
  readonly rgb: Palette[number]
  readonly weight: number
}

/** A box of colours; `spread` is the weighted variance of its most varied channel. */
interface ColourBox {
  readonly colours: readonly Colour[]
  readonly mean: readonly number[]
  readonly axis: number
  readonly spread: number
}

/** Counts the pixels of each colour in pictures. Colours keep the order in which they are first met. */
export class ColourCount {
  readonly #pixels = new Map<number, number>()

  /** @param data bytes of red, green and blue, pixel after pixel */
  add(data: Uint8Array): void {
    for (let i = 0; i < data.length; i += 3) {
      const key = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2]
      this.#pixels.set(key, (this.#pixels.get(key) ?? 0) + 1)
    }
  }

  /**
   * P. Heckbert's median cut (1982), splitting the box of the greatest variance at its mean. A colour's weight grows less
   * than the number of its pixels, so that small parts count.
   * @param size most colours
   */
  palette(size: number): Palette {
    const colours = Array.from(this.#pixels, ([key, pixels]): Colour => {
      const root = Math.sqrt(pixels)
      return { rgb: [key >> 16, (key >> 8) & 255, key & 255], weight: root * Math.sqrt(root) }
    })
    const boxes = [measure(colours)]
    while (boxes.length < size) {
      const widest = boxes.reduce((best, box, i) => (box.spread > boxes[best].spread ? i : best), 0)
      const { colours: inside, axis, mean, spread } = boxes[widest]
      if (spread === 0) break
      const low = inside.filter(({ rgb }) => rgb[axis] <= mean[axis])
      const high = inside.filter(({ rgb }) => rgb[axis] > mean[axis])
      boxes.splice(widest, 1, measure(low), measure(high))
    }
    return boxes.map(({ mean }) => [roundHalfUp(mean[0]), roundHalfUp(mean[1]), roundHalfUp(mean[2])])
  }
}

function roundHalfUp(x: number): number {
  return Math.floor(x + 0.5)
}

function measure(colours: readonly Colour[]): ColourBox {
  const mean = [0, 0, 0]
  let weight = 0
  for (const colour of colours) {
    weight += colour.weight
    for (let k = 0; k < 3; k++) mean[k] += colour.weight * colour.rgb[k]
  }
  for (let k = 0; k < 3; k++) mean[k] /= weight
  const spreads = [0, 0, 0]
  for (const colour of colours) {
    for (let k = 0; k < 3; k++) {
      const off = colour.rgb[k] - mean[k]
      spreads[k] += colour.weight * off * off
    }
  }
  const axis = spreads.indexOf(Math.max(...spreads))
  return { colours, mean, axis, spread: colours.length === 1 ? 0 : spreads[axis] }
}

/** Finds the nearest colour of a palette. */
export class NearestColour {
  readonly #palette: Palette
  readonly #known = new Map<number, number>()

  constructor(palette: Palette) {
    this.#palette = palette
  }

  /** Positions in the palette of pixels. @param data bytes of red, green and blue, pixel after pixel */
  indices(data: Uint8Array): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(data.length / 3)
    let lastKey = -1
    let last = 0
    for (let i = 0; i < out.length; i++) {
      const key = (data[3 * i] << 16) | (data[3 * i + 1] << 8) | data[3 * i + 2]
      if (key !== lastKey) {
        last = this.#known.get(key) ?? this.#search(key)
        lastKey = key
      }
      out[i] = last
    }
    return out
  }

  #search(key: number): number {
    const [r, g, b] = [key >> 16, (key >> 8) & 255, key & 255]
    let best = 0
    let least = Infinity
    for (let i = 0; i < this.#palette.length; i++) {
      const entry = this.#palette[i]
      const dr = entry[0] - r
      const dg = entry[1] - g
      const db = entry[2] - b
      const distance = dr * dr + dg * dg + db * db
      if (distance < least) {
        best = i
        least = distance
      }
    }
    this.#known.set(key, best)
    return best
  }
}
