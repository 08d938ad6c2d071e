import type { Palette } from './palette.js'

/** Most colours of a frame's palette: one of the 256 is the transparent one, which keeps the pixel of the frame before. */
export const GIF_COLOURS = 255
const TRANSPARENT = 255
/** Bits of a pixel, and the codes that follow the pixels'. */
const DEPTH = 8
const CLEAR = 1 << DEPTH
const END = CLEAR + 1
const LONGEST_CODE = 12
/** Places for known pairs of a code and the pixel after it. */
const PLACES = 1 << 14

/** Bytes one after another. */
class ByteList {
  #bytes = new Uint8Array(1 << 16)
  length = 0

  push(...values: readonly number[]): void {
    for (const value of values) {
      if (this.length === this.#bytes.length) this.#grow()
      this.#bytes[this.length++] = value
    }
  }

  word(value: number): void {
    this.push(value & 255, value >> 8)
  }

  taken(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length)
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Writes codes of varying length into blocks of at most 255 bytes. */
class CodeWriter {
  readonly #out: ByteList
  readonly #block: number[] = []
  #bits = 0
  #count = 0

  constructor(out: ByteList) {
    this.#out = out
  }

  write(code: number, length: number): void {
    this.#bits |= code << this.#count
    this.#count += length
    while (this.#count >= 8) this.#byte()
  }

  end(): void {
    if (this.#count > 0) this.#byte()
    this.#flush()
    this.#out.push(0)
  }

  #byte(): void {
    this.#block.push(this.#bits & 255)
    this.#bits >>>= 8
    this.#count = Math.max(0, this.#count - 8)
    if (this.#block.length === 255) this.#flush()
  }

  #flush(): void {
    if (this.#block.length > 0) this.#out.push(this.#block.length, ...this.#block)
    this.#block.length = 0
  }
}

/** T. Welch's compression (1984) in the variant of GIF. */
function compress(pixels: Uint8Array, out: ByteList): void {
  const writer = new CodeWriter(out)
  const keys = new Int32Array(PLACES)
  const codes = new Int16Array(PLACES)
  let next = END + 1
  let length = DEPTH + 1
  writer.write(CLEAR, length)
  let code = pixels[0]
  for (let i = 1; i < pixels.length; i++) {
    const pixel = pixels[i]
    const key = (code << 8) | pixel | (1 << 20)
    let place = (Math.imul(key, 0x9e3779b1) >>> 18) & (PLACES - 1)
    while (keys[place] !== 0 && keys[place] !== key) place = (place + 1) & (PLACES - 1)
    if (keys[place] === key) {
      code = codes[place]
      continue
    }
    writer.write(code, length)
    code = pixel
    if (next < 1 << LONGEST_CODE) {
      keys[place] = key
      codes[place] = next
      if (next === 1 << length) length++
      next++
    } else {
      writer.write(CLEAR, length)
      keys.fill(0)
      next = END + 1
      length = DEPTH + 1
    }
  }
  writer.write(code, length)
  writer.write(END, length)
  writer.end()
}

/** The part of a frame that differs from the one before. */
interface Changed {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** Makes an animation that repeats for ever, frame by frame. The same frames give the same bytes. */
export class GifWriter {
  readonly #width: number
  readonly #height: number
  readonly #out = new ByteList()
  #last: Uint8Array | undefined

  /** @param palette of at most `GIF_COLOURS` colours */
  constructor(width: number, height: number, palette: Palette) {
    this.#width = width
    this.#height = height
    const out = this.#out
    const text = (letters: string) => out.push(...new TextEncoder().encode(letters))
    text('GIF89a')
    out.word(width)
    out.word(height)
    // A palette of 256 colours for all frames; no background.
    out.push(0xf7, 0, 0)
    for (let i = 0; i < 256; i++) out.push(...(palette[i] ?? [0, 0, 0]))
    out.push(0x21, 0xff, 11)
    text('NETSCAPE2.0')
    out.push(3, 1, 0, 0, 0)
  }

  /**
   * @param pixels [height, width], positions in the palette
   * @param hundredths of a second for which it is shown
   */
  add(pixels: Uint8Array, hundredths: number): void {
    const { left, top, width, height, pixels: part } = this.#changed(pixels)
    const out = this.#out
    out.push(0x21, 0xf9, 4, 0b101)
    out.word(hundredths)
    out.push(TRANSPARENT, 0)
    out.push(0x2c)
    for (const value of [left, top, width, height]) out.word(value)
    out.push(0, DEPTH)
    compress(part, out)
    this.#last = pixels
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#out.push(0x3b)
    return this.#out.taken()
  }

  /** The smallest rectangle with all pixels that differ from the last frame; in it, those that do not are transparent. */
  #changed(pixels: Uint8Array): Changed {
    const last = this.#last
    const width = this.#width
    if (last === undefined) return { left: 0, top: 0, width, height: this.#height, pixels }
    let [left, right, top, bottom] = [width, -1, this.#height, -1]
    for (let i = 0; i < pixels.length; i++) {
      if (pixels[i] === last[i]) continue
      const x = i % width
      const y = (i - x) / width
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = y
    }
    if (right < 0) [left, right, top, bottom] = [0, 0, 0, 0]
    const part = new Uint8Array((right - left + 1) * (bottom - top + 1))
    let at = 0
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const i = y * width + x
        part[at++] = pixels[i] === last[i] ? TRANSPARENT : pixels[i]
      }
    }
    return { left, top, width: right - left + 1, height: bottom - top + 1, pixels: part }
  }
}
