import { cosine, sine } from '../trigonometry.js'
import type { DataArray, World } from '../mujoco/world.js'

/** How a number of an observation comes from MuJoCo's data. */
type Reading = 'value' | 'zero' | 'sine' | 'cosine' | 'difference'

/** One number of an observation: `array[index]`, its sine or cosine, or `array[index] - array[minus]`. */
export interface Element {
  readonly array: DataArray
  readonly index: number
  readonly reading: Reading
  readonly minus?: number
  /** Largest magnitude that is observed. */
  readonly clip: number
}

/** `count` successive numbers of an array. */
export function values(array: DataArray, from: number, count: number, clip = Infinity): Element[] {
  return Array.from({ length: count }, (_, i) => ({ array, index: from + i, reading: 'value', clip }))
}

/** The same elements, always observed as 0. */
export function zeros(elements: readonly Element[]): Element[] {
  return elements.map((element) => ({ ...element, reading: 'zero' }))
}

/** Sine or cosine of positions. */
export function angles(reading: 'sine' | 'cosine', from: number, count: number): Element[] {
  return values('qpos', from, count).map((element) => ({ ...element, reading }))
}

/** Where body `to` is, seen from body `from`, in world coordinates: its first `count` coordinates. */
export function offset(to: number, from: number, count: number): Element[] {
  return values('xpos', 3 * to, count).map((element, i) => ({
    ...element,
    reading: 'difference',
    minus: 3 * from + i,
  }))
}

/** Reads the elements of an observation of one world. */
export class Reader {
  private readonly readings: readonly Reading[]
  /** Positions in MuJoCo's memory. */
  private readonly at: Int32Array
  private readonly minus: Int32Array
  private readonly clip: Float64Array

  constructor(elements: readonly Element[], world: World) {
    this.readings = elements.map(({ reading }) => reading)
    this.at = Int32Array.from(elements, ({ array, index }) => world.position(array) + index)
    this.minus = Int32Array.from(elements, ({ array, minus }) => world.position(array) + (minus ?? 0))
    this.clip = Float64Array.from(elements, ({ clip }) => clip)
  }

  /** @param out [elements] */
  read(memory: Float64Array, out: Float64Array | Float32Array): void {
    const { readings, at, minus, clip } = this
    for (let i = 0; i < readings.length; i++) {
      const x = memory[at[i]]
      switch (readings[i]) {
        case 'value':
          out[i] = Math.max(-clip[i], Math.min(clip[i], x))
          break
        case 'zero':
          out[i] = 0
          break
        case 'sine':
          out[i] = sine(x)
          break
        case 'cosine':
          out[i] = cosine(x)
          break
        case 'difference':
          out[i] = x - memory[minus[i]]
      }
    }
  }
}
