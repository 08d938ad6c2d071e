import { crc32, deflateSync } from 'node:zlib'
import { ColourCount, NearestColour } from './palette.js'
import type { Picture } from './trace.js'

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10]
/** Colour types of a PNG. */
const TRUE_COLOUR = 2
const INDEXED = 3
/** Filter of a row: none, or the difference from the row above. */
const PLAIN = 0
const UP = 2

function chunk(name: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(content.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, content.length)
  bytes.set(new TextEncoder().encode(name), 4)
  bytes.set(content, 8)
  view.setUint32(content.length + 8, crc32(bytes.subarray(4, content.length + 8)))
  return bytes
}

function header({ width, height }: Picture, colourType: number): Uint8Array {
  const content = new Uint8Array(13)
  const view = new DataView(content.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  content[8] = 8
  content[9] = colourType
  return chunk('IHDR', content)
}

/** Each row with its filter before it. @param length bytes of a row */
function rows(data: Uint8Array, length: number, filter: typeof PLAIN | typeof UP): Uint8Array {
  const out = new Uint8Array((data.length / length) * (length + 1))
  for (let row = 0, from = 0; from < data.length; row++, from += length) {
    const to = row * (length + 1)
    out[to] = filter
    out.set(data.subarray(from, from + length), to + 1)
    if (filter === PLAIN || row === 0) continue
    for (let i = 0; i < length; i++) out[to + 1 + i] -= data[from - length + i]
  }
  return out
}

function file(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = [Uint8Array.from(SIGNATURE), ...chunks, chunk('IEND', new Uint8Array(0))]
  const out = new Uint8Array(parts.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/**
 * A PNG of at most 256 colours.
 * @param text keywords and their values, stored in the file
 */
export function encodePng(
  picture: Picture,
  text: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const count = new ColourCount()
  count.add(picture.data)
  const palette = count.palette(256)
  const indices = new NearestColour(palette).indices(picture.data)
  const texts = Object.entries(text).map(([key, value]) =>
    chunk('tEXt', new TextEncoder().encode(`${key}\0${value}`)),
  )
  return file([
    header(picture, INDEXED),
    chunk('PLTE', Uint8Array.from(palette.flat())),
    ...texts,
    chunk('IDAT', deflateSync(rows(indices, picture.width, PLAIN), { level: 9 })),
  ])
}

/** A PNG of all colours. */
export function encodeTrueColourPng(picture: Picture): Uint8Array<ArrayBuffer> {
  const pixels = rows(picture.data, 3 * picture.width, UP)
  return file([header(picture, TRUE_COLOUR), chunk('IDAT', deflateSync(pixels, { level: 6 }))])
}
