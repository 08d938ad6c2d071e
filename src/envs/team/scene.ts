import { HatrpoError } from '../../errors.js'
import type { World } from '../mujoco/world.js'
import type { Numbers, TeamScene, TeamStart } from './definition.js'
import type { ModelNames } from './names.js'
import type { Reading } from './fields.js'
import { findReading, STATE_FIELDS } from './readings.js'

/** Numbers of a world under one name. */
interface Window {
  readonly at: number
  readonly count: number
  /** Of MuJoCo's memory; empty once that memory has grown. */
  view: Float64Array
}

/** Named windows on one world's numbers. A name is looked up in the model once. */
export class Windows {
  readonly #world: World
  readonly #names: ModelNames
  readonly #windows = new Map<string, Window>()

  constructor(world: World, names: ModelNames) {
    this.#world = world
    this.#names = names
  }

  /** @throws HatrpoError for a reading that the model does not have */
  open(reading: string): Float64Array {
    let window = this.#windows.get(reading)
    if (window === undefined) {
      window = this.#find(reading)
      this.#windows.set(reading, window)
    }
    if (window.view.length === 0) {
      window.view = this.#world.doubles().subarray(window.at, window.at + window.count)
    }
    return window.view
  }

  #find(reading: string): Window {
    const { model, envId } = this.#world
    const { array, index, count } = findReading(reading, model, this.#names, `${envId}: ${reading}`)
    return { at: this.#world.position(array) + index, count, view: new Float64Array(0) }
  }
}

/** The view of the world that a team's functions get after a step. */
export class Scene implements TeamScene {
  readonly stepSeconds: number
  readonly read: (reading: Reading) => Numbers
  readonly before: (reading: Reading) => Numbers
  steps = 0
  readonly #windows: Windows
  /** The readings listed in `keep`, at the beginning of the step. */
  readonly #kept: readonly { readonly reading: Reading; readonly numbers: Float64Array }[]

  constructor(windows: Windows, envId: string, keep: readonly Reading[], stepSeconds: number) {
    this.#windows = windows
    this.stepSeconds = stepSeconds
    this.#kept = keep.map((reading) => ({ reading, numbers: windows.open(reading).slice() }))
    this.read = (reading) => windows.open(reading)
    const byName = new Map(this.#kept.map(({ reading, numbers }) => [reading, numbers]))
    this.before = (reading) => {
      const numbers = byName.get(reading)
      if (numbers === undefined) {
        throw new HatrpoError(
          `${envId}: before('${reading}'): list it in keep, which has ${keep.join(', ') || 'nothing'}`,
        )
      }
      return numbers
    }
  }

  /** Keeps what `before` gives. Called when a step begins. */
  beginStep(): void {
    for (let i = 0; i < this.#kept.length; i++) {
      const { reading, numbers } = this.#kept[i]
      numbers.set(this.#windows.open(reading))
    }
  }
}

/** The state that `start` of a team may change. */
export function teamStart(windows: Windows, envId: string, random: TeamStart['random']): TeamStart {
  return {
    random: { uniform: () => random.uniform(), normal: () => random.normal() },
    write: (reading) => {
      const field = reading.split(':', 1)[0].split('[', 1)[0]
      if (!(STATE_FIELDS as readonly string[]).includes(field)) {
        throw new HatrpoError(`${envId}: write('${reading}'): only ${STATE_FIELDS.join(', ')} can be written`)
      }
      return windows.open(reading)
    },
  }
}
