import type { MjModel } from '@mujoco/mujoco'
import { usageError, type HatrpoError } from '../../errors.js'
import { byCloseness } from '../../text/nearest.js'
import { integersOf } from '../mujoco/load.js'
import type { PhysicsModel } from '../mujoco/world.js'

/** Elements of a model that have names. */
export type Kind = 'body' | 'joint' | 'geom' | 'site' | 'tendon' | 'actuator' | 'sensor' | 'keyframe'

/** Fields of a model with the addresses of names. */
const ADDRESSES = {
  body: 'name_bodyadr',
  joint: 'name_jntadr',
  geom: 'name_geomadr',
  site: 'name_siteadr',
  tendon: 'name_tendonadr',
  actuator: 'name_actuatoradr',
  sensor: 'name_sensoradr',
  keyframe: 'name_keyadr',
} as const satisfies Record<Kind, keyof MjModel>
const PLURALS: Partial<Record<Kind, string>> = { body: 'bodies' }

/** Names that an error line shows. */
const SHOWN = 12

/** The names of a model's elements. An element without a name is called by its number, such as `#3`. */
export class ModelNames {
  readonly #lists = new Map<Kind, readonly string[]>()
  readonly #model: PhysicsModel

  constructor(model: PhysicsModel) {
    this.#model = model
  }

  /** The names of all elements of a kind, in the model's order. */
  list(kind: Kind): readonly string[] {
    let names = this.#lists.get(kind)
    if (names === undefined) {
      names = this.#read(kind)
      this.#lists.set(kind, names)
    }
    return names
  }

  /**
   * The number of an element.
   * @param where what names it, for the error
   * @throws HatrpoError (exit code 2) with the names there are, closest first
   */
  find(kind: Kind, name: string, where: string): number {
    const at = this.list(kind).indexOf(name)
    if (at >= 0) return at
    const number = /^#(\d+)$/.exec(name)
    if (number !== null && Number(number[1]) < this.list(kind).length) return Number(number[1])
    throw this.unknown(kind, name, where)
  }

  /** The error for a name that no element of the kind has. */
  unknown(kind: Kind, name: string, where: string): HatrpoError {
    const names = byCloseness(name, this.list(kind))
    const plural = PLURALS[kind] ?? `${kind}s`
    if (names.length === 0) return usageError(`${where}: the model has no ${plural}`)
    const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
    return usageError(
      `${where}: the model has no ${kind} ${name}; its ${plural} are ${names.slice(0, SHOWN).join(', ')}${more}`,
    )
  }

  #read(kind: Kind): readonly string[] {
    // mj_id2name of this build gives other text for an element without a name.
    const { handle } = this.#model
    const bytes = Uint8Array.from(handle.names as Int8Array)
    const names = Array.from(integersOf(handle, ADDRESSES[kind]), (from) =>
      new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from))),
    )
    return kind === 'actuator' ? this.#nameByTarget(names) : names.map((name, i) => name || `#${i}`)
  }

  /** An unnamed actuator has the name of the joint, tendon, site or body that only it drives. */
  #nameByTarget(names: readonly string[]): readonly string[] {
    const { handle } = this.#model
    const types = integersOf(handle, 'actuator_trntype')
    const ids = integersOf(handle, 'actuator_trnid')
    const targets = names.map((name, i) => {
      const kind = TARGETS[types[i]]
      return name || (kind && this.list(kind)[ids[2 * i]]) || `#${i}`
    })
    const isUnique = (name: string) => targets.indexOf(name) === targets.lastIndexOf(name)
    return names.map((name, i) => name || (isUnique(targets[i]) ? targets[i] : `#${i}`))
  }
}

/** The transmission target of an actuator, by MuJoCo's mjtTrn. */
const TARGETS: readonly (Kind | undefined)[] = ['joint', 'joint', 'site', 'tendon', 'site', 'body']
