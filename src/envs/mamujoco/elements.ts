import { cosine, sine } from '../trigonometry.js'
import type { DataArray, World } from '../mujoco/world.js'

/** Computation of a number of an observation from MuJoCo's data. */
type Reading = 'value' | 'zero' | 'sine' | 'cosine' | 'difference'

/** One number of an observation: `array[index]`, its sine or cosine, or `array[index] - array[minus]`. */
export interface ObservationElement {
  readonly array: DataArray
  readonly index: number
  readonly reading: Reading
  readonly minus?: number
  /** Largest magnitude that is observed. */
  readonly clip: number
}

/** `count` successive numbers of an array. */
export function values(array: DataArray, from: number, count: number, clip = Infinity): ObservationElement[] {
  return Array.from({ length: count }, (_, i) => ({ array, index: from + i, reading: 'value', clip }))
}

/** The same elements, always observed as 0. */
export function zeros(elements: readonly ObservationElement[]): ObservationElement[] {
  return elements.map((element) => ({ ...element, reading: 'zero' }))
}

/** Sine or cosine of positions. */
export function angles(reading: 'sine' | 'cosine', from: number, count: number): ObservationElement[] {
  return values('qpos', from, count).map((element) => ({ ...element, reading }))
}

/** Vector from body `from` to body `to` in world coordinates: its first `count` coordinates. */
export function offset(to: number, from: number, count: number): ObservationElement[] {
  return values('xpos', 3 * to, count).map((element, i) => ({
    ...element,
    reading: 'difference',
    minus: 3 * from + i,
  }))
}

/** Successive elements that are contiguous in MuJoCo's memory and read in the same way. */
interface Run {
  readonly reading: Reading
  /** Index of its first number, and their count. */
  readonly from: number
  count: number
  /** Positions in MuJoCo's memory. */
  readonly at: number
  readonly minus: number
  readonly clip: number
}

/** Reads the elements of an observation of one world. */
export class ObservationReader {
  readonly #runs: readonly Run[]

  constructor(elements: readonly ObservationElement[], world: World) {
    this.#runs = findRuns(elements, world)
  }

  /** @param out [elements] */
  read(memory: Float64Array, out: Float64Array | Float32Array): void {
    const runs = this.#runs
    for (let k = 0; k < runs.length; k++) {
      const { reading, from, count, at, minus, clip } = runs[k]
      switch (reading) {
        case 'value':
          if (clip === Infinity) for (let i = 0; i < count; i++) out[from + i] = memory[at + i]
          else for (let i = 0; i < count; i++) out[from + i] = Math.max(-clip, Math.min(clip, memory[at + i]))
          break
        case 'zero':
          for (let i = 0; i < count; i++) out[from + i] = 0
          break
        case 'sine':
          for (let i = 0; i < count; i++) out[from + i] = sine(memory[at + i])
          break
        case 'cosine':
          for (let i = 0; i < count; i++) out[from + i] = cosine(memory[at + i])
          break
        case 'difference':
          for (let i = 0; i < count; i++) out[from + i] = memory[at + i] - memory[minus + i]
      }
    }
  }
}

/** Long runs are what makes reading quick: an observation is a few stretches of MuJoCo's arrays. */
function findRuns(elements: readonly ObservationElement[], world: World): Run[] {
  const runs: Run[] = []
  for (const [from, { array, index, reading, minus = 0, clip }] of elements.entries()) {
    const at = world.position(array) + index
    const subtracted = world.position(array) + minus
    const last = runs.at(-1)
    const goesOn =
      last?.reading === reading &&
      last.clip === clip &&
      last.at + last.count === at &&
      (reading !== 'difference' || last.minus + last.count === subtracted)
    if (goesOn) last.count++
    else runs.push({ reading, from, count: 1, at, minus: subtracted, clip })
  }
  return runs
}
