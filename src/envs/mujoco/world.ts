import type { DoubleBuffer, MjData, MjModel } from '@mujoco/mujoco'
import { HatrpoError } from '../../errors.js'
import { PhysicsError } from '../physics-error.js'
import { WORLD } from '../../kernels/layout.js'
import { RECORD_LENGTH } from './batch.js'
import { modelFlags } from './flags.js'
import { addressOf, doublesOf, type Mujoco } from './load.js'

const DOUBLE_BYTES = 8
const INT_BYTES = 4
const MEBIBYTE = 1024 * 1024
/** mjtDisableBit: keeps MuJoCo from resetting a world that went bad, which would pass for a sound state. */
const DISABLE_AUTORESET = 1 << 16
/** mjSTATE_INTEGRATION: everything that the next mj_step depends on. */
const STATE_INTEGRATION = (1 << 14) - 1

/** Arrays of a world that observations and rewards are taken from, by MuJoCo's names. */
export type DataArray =
  | 'qpos'
  | 'qvel'
  | 'act'
  | 'ctrl'
  | 'mocap_pos'
  | 'mocap_quat'
  | 'qacc'
  | 'qfrc_actuator'
  | 'xpos'
  | 'xquat'
  | 'xmat'
  | 'xipos'
  | 'cinert'
  | 'cvel'
  | 'subtree_com'
  | 'cfrc_ext'
  | 'geom_xpos'
  | 'geom_xmat'
  | 'site_xpos'
  | 'site_xmat'
  | 'ten_J'
  | 'ten_length'
  | 'ten_velocity'
  | 'actuator_length'
  | 'actuator_velocity'
  | 'actuator_force'
  | 'sensordata'

/** Subjects of MuJoCo's warnings, in the order of its mjtWarning, with their texts here. */
const WARNINGS: readonly { quantity: string; sentence: string }[] = [
  { quantity: 'inertia', sentence: 'the inertia matrix cannot be factorised' },
  { quantity: 'contacts', sentence: 'more contacts than the memory of the world holds' },
  { quantity: 'constraints', sentence: 'more constraints than the memory of the world holds' },
  { quantity: 'qpos', sentence: 'a position is not finite or beyond 1e10' },
  { quantity: 'qvel', sentence: 'a velocity is not finite or beyond 1e10' },
  { quantity: 'qacc', sentence: 'an acceleration is not finite or beyond 1e10' },
  { quantity: 'action', sentence: 'a control is not finite or beyond 1e10' },
]

/** The arrays that a warning may be about, by what we call them. */
const ARRAYS: Readonly<Record<string, 'qpos' | 'qvel' | 'qacc' | 'ctrl'>> = {
  qpos: 'qpos',
  qvel: 'qvel',
  qacc: 'qacc',
  action: 'ctrl',
}
/** MuJoCo's mjMAXVAL. */
const LARGEST = 1e10

/** A compiled model, shared by all its worlds in this thread. */
export class PhysicsModel {
  readonly mujoco: Mujoco
  readonly handle: MjModel
  readonly nq: number
  readonly nv: number
  readonly nu: number
  /** Numbers of mjSTATE_INTEGRATION: everything that the next mj_step depends on. */
  readonly stateSize: number
  /** [stateSize], in MuJoCo's memory, which is the only place its API writes a state to. */
  readonly stateBuffer: DoubleBuffer
  #readFlags: Readonly<Record<string, readonly number[]>> | undefined

  /** @param source an MJCF document, or a compiled model, which then is this object's to dispose of */
  constructor(mujoco: Mujoco, source: string | MjModel) {
    this.mujoco = mujoco
    this.handle = typeof source === 'string' ? mujoco.api.MjModel.from_xml_string(source) : source
    this.handle.opt.disableflags |= DISABLE_AUTORESET
    this.nq = this.handle.nq
    this.nv = this.handle.nv
    this.nu = this.handle.nu
    this.stateSize = mujoco.api.mj_stateSize(this.handle, STATE_INTEGRATION)
    this.stateBuffer = new mujoco.api.DoubleBuffer(this.stateSize)
  }

  /** The boolean arrays of the model, by name (see `modelFlags`). */
  get flags(): Readonly<Record<string, readonly number[]>> {
    return (this.#readFlags ??= modelFlags(this.mujoco, this.handle))
  }

  dispose(): void {
    this.stateBuffer.delete()
    this.handle.delete()
  }
}

/** One simulated world of a model. Positions in `doubles()` of its arrays: `qpos`, `qvel`, `ctrl`. */
export class World {
  readonly model: PhysicsModel
  readonly qpos: number
  readonly qvel: number
  readonly ctrl: number
  readonly envId: string
  readonly #data: MjData
  /** Index in `integers()` of the stepper's record of this world. */
  readonly #record: number
  /** Addresses and lengths of the arrays that `save` stores besides MuJoCo's own state. */
  readonly #derived: readonly { at: number; length: number }[]
  /** Numbers that `save` writes. */
  readonly savedSize: number

  /**
   * @param envId named in errors
   * @param derived arrays that are read between steps though they follow from the state: the last step leaves them as
   *   of its last stage, so they are saved, not computed again. With `cfrc_ext` among them, `step` computes the forces
   *   on bodies as well.
   */
  constructor(model: PhysicsModel, envId: string, derived: readonly DataArray[] = []) {
    const { mujoco } = model
    this.model = model
    this.envId = envId
    this.#data = makeData(model, envId)
    this.qpos = doublesOf(this.#data, 'qpos').byteOffset / DOUBLE_BYTES
    this.qvel = doublesOf(this.#data, 'qvel').byteOffset / DOUBLE_BYTES
    this.ctrl = doublesOf(this.#data, 'ctrl').byteOffset / DOUBLE_BYTES
    this.#record = mujoco.allocate(RECORD_LENGTH) / INT_BYTES
    const told: Partial<Record<keyof typeof WORLD, number>> = {
      model: addressOf(model.handle),
      data: addressOf(this.#data),
      mjStep: mujoco.functionIndex('mj_step'),
      after: derived.includes('cfrc_ext') ? mujoco.functionIndex('mj_rnePostConstraint') : 0,
      warnings: warningsAddress(mujoco, this.#data),
      warningCount: WARNINGS.length,
      qpos: this.qpos * DOUBLE_BYTES,
      nq: model.nq,
      qvel: this.qvel * DOUBLE_BYTES,
      nv: model.nv,
    }
    for (const [name, value] of Object.entries(told)) {
      mujoco.integers()[this.#record + WORLD[name as keyof typeof WORLD]] = value
    }
    this.#derived = derived.map((name) => ({
      at: this.position(name),
      length: doublesOf(this.#data, name).length,
    }))
    this.savedSize = this.#derived.reduce((size, { length }) => size + length, model.stateSize)
  }

  /** Position in `doubles()` of an array. */
  position(name: DataArray): number {
    return doublesOf(this.#data, name).byteOffset / DOUBLE_BYTES
  }

  /** MuJoCo's memory, where `qpos`, `qvel` and `ctrl` are positions. */
  doubles(): Float64Array {
    return this.model.mujoco.doubles()
  }

  /** The embind handle, for arrays that the hot path does not read. */
  get handle(): MjData {
    return this.#data
  }

  /**
   * Puts the world at the model's default state, at rest, or at one of its keyframes, with no warnings. The caller sets
   * qpos and qvel, then `forward`.
   */
  reset(keyframe?: number): void {
    const { mujoco, handle } = this.model
    // A step that was submitted and is not wanted any more must not fall into the new episode.
    mujoco.batch.run()
    if (keyframe === undefined) mujoco.api.mj_resetData(handle, this.#data)
    else mujoco.api.mj_resetDataKeyframe(handle, this.#data, keyframe)
  }

  /**
   * Computes everything that follows from the state.
   * @throws PhysicsError when MuJoCo cannot
   */
  forward(): void {
    try {
      this.model.mujoco.api.mj_forward(this.model.handle, this.#data)
    } catch (cause) {
      this.#refuse(cause)
    }
  }

  /**
   * Asks for `frames` physics frames with the controls at `ctrl`. They are made, with those that other worlds of this
   * thread have asked for, when the first of these worlds finishes its step; until then the controls must stay.
   */
  submit(frames: number): void {
    this.model.mujoco.batch.submit(this.#record, frames)
  }

  /**
   * Advances by `frames` physics frames with the controls at `ctrl`.
   * @throws PhysicsError when the state goes bad; the world then needs `reset` or `load`
   */
  step(frames: number): void {
    this.submit(frames)
    this.finish()
  }

  /** Advances by the frames that `submit` asked for. @throws PhysicsError like `step` */
  finish(): void {
    const { batch } = this.model.mujoco
    let failure: number
    try {
      batch.run()
      failure = batch.result(this.#record)
    } catch (cause) {
      this.#refuse(cause)
    }
    if (failure !== 0) {
      const { quantity, sentence } = WARNINGS[failure - 1]
      throw new PhysicsError(this.envId, quantity, `${sentence}${this.#culprits(quantity)}`)
    }
  }

  /** Writes everything that the next step depends on, then the derived arrays, to `out` [savedSize]. */
  save(out: Float64Array): void {
    const { mujoco, handle, stateBuffer, stateSize } = this.model
    mujoco.api.mj_getState(handle, this.#data, stateBuffer, STATE_INTEGRATION)
    out.set(stateBuffer.GetView() as Float64Array)
    let next = stateSize
    for (const { at, length } of this.#derived) {
      out.set(this.doubles().subarray(at, at + length), next)
      next += length
    }
  }

  /** Restores what `save` wrote. Nothing is recomputed: the next step gives the bits it would have given. */
  load(saved: Float64Array): void {
    const { mujoco, handle, stateSize } = this.model
    this.reset()
    mujoco.api.mj_setState(handle, this.#data, Array.from(saved.subarray(0, stateSize)), STATE_INTEGRATION)
    let next = stateSize
    for (const { at, length } of this.#derived) {
      this.doubles().set(saved.subarray(next, next + length), at)
      next += length
    }
  }

  dispose(): void {
    const { mujoco } = this.model
    mujoco.batch.run()
    mujoco.free(this.#record * INT_BYTES)
    this.#data.delete()
  }

  /** Says why a call of MuJoCo's was not finished, and gives its stack back. */
  #refuse(cause: unknown): never {
    this.model.mujoco.unwind()
    const detail = `MuJoCo stopped: ${String(cause).replace(/\s+/g, ' ').trim()}`
    throw new PhysicsError(this.envId, 'error', detail, { cause })
  }

  /** Which elements of a state array are bad, for an error message. */
  #culprits(quantity: string): string {
    if (!Object.hasOwn(ARRAYS, quantity)) return ''
    const bad = Array.from(doublesOf(this.#data, ARRAYS[quantity]).entries()).filter(
      ([, x]) => !(Math.abs(x) <= LARGEST),
    )
    return ` (${bad.map(([i, x]) => `${quantity}[${i}] = ${x}`).join(', ')})`
  }
}

function makeData({ mujoco, handle }: PhysicsModel, envId: string): MjData {
  try {
    return new mujoco.api.MjData(handle)
  } catch (cause) {
    mujoco.unwind()
    const each = Math.ceil((handle.nbuffer + handle.narena) / MEBIBYTE)
    throw new HatrpoError(
      `${envId}: no room for another world of ${each} MiB in the 2 GiB that MuJoCo has in a thread: ` +
        'use fewer environments or more workers, or reduce the memory of the model, such as by <size memory="1M"/>',
      { cause },
    )
  }
}

/**
 * Address of the array of mjWarningStat in MuJoCo's own struct. `data.warning` is a C++ vector of handles into it, so
 * the address is the first word of the vector's first element. That is checked by writing a number through the public
 * API and finding it there, so that a change of layout cannot go unseen.
 */
function warningsAddress(mujoco: Mujoco, data: MjData): number {
  const all = data.warning
  const count = all.size()
  const first = all.get(0)
  if (first === undefined || count !== WARNINGS.length) {
    throw new HatrpoError(
      `@mujoco/mujoco has ${count} warnings instead of ${WARNINGS.length}: is it version 3.14.0?`,
    )
  }
  const begin = mujoco.integers()[addressOf(all) / INT_BYTES]
  const address = mujoco.integers()[begin / INT_BYTES]
  const readBack = (number: number) => {
    first.number = number
    all.set(0, first)
    return mujoco.integers()[address / INT_BYTES + 1]
  }
  const found = readBack(0x5eed) === 0x5eed && readBack(0) === 0
  first.delete()
  if (!found) {
    throw new HatrpoError('the warnings of @mujoco/mujoco are not where they were: is it version 3.14.0?')
  }
  return address
}
