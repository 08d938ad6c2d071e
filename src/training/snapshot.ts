import { HatrpoError } from '../errors.js'
import type { EnvProgress } from '../rollout/index.js'
import type { CheckpointData } from '../runs/checkpoint.js'
import type { Adam } from '../learner/adam.js'
import type { ValueNormState } from '../learner/value-norm.js'
import { parameterLayout } from '../nn/layout.js'
import type { GaussianActorSpec } from '../nn/spec.js'
import type { Trainer } from './trainer.js'

type Powers = [number, number]

/** Counters of a run between iterations, beside its tensors. */
interface SnapshotState {
  readonly actorPowers: readonly Powers[]
  readonly criticPowers: Powers
  readonly valueNorm: ValueNormState | null
  readonly shuffles: readonly number[]
  readonly environments: readonly Omit<EnvProgress, 'state'>[]
}

/** All that a run is between two iterations, for a checkpoint. */
export function takeSnapshot(trainer: Trainer, progress: readonly EnvProgress[]): CheckpointData {
  const tensors: Record<string, CheckpointData['tensors'][string]> = {}
  const read = (tensor: Trainer['criticParameters']) => trainer.device.read(tensor) as Float32Array
  const saveAdam = (name: string, adam: Adam): Powers => {
    const { m, v, powers } = adam.save()
    tensors[`optimisers/${name}.m`] = m
    tensors[`optimisers/${name}.v`] = v
    return [...powers]
  }

  trainer.actorParameters.forEach((tensor, i) => (tensors[`actors/agent_${i}`] = read(tensor)))
  tensors['critics/critic_0'] = read(trainer.criticParameters)
  const actorPowers = trainer.actorAdams.map((adam, i) => saveAdam(`agent_${i}`, adam))
  const criticPowers = saveAdam('critic_0', trainer.criticAdam)
  const environments = progress.map(({ state, ...counters }, e) => {
    if (state) tensors[`environments/env_${e}`] = state
    return counters
  })
  const state = {
    actorPowers,
    criticPowers,
    valueNorm: trainer.valueNorm?.save() ?? null,
    shuffles: [...trainer.shuffles],
    environments,
  } satisfies SnapshotState
  return { tensors, state }
}

/** The flat parameter vectors of a checkpoint's actors. @throws HatrpoError when they do not fit the networks */
export function actorParameters(
  { tensors }: Pick<CheckpointData, 'tensors'>,
  specs: readonly GaussianActorSpec[],
): Float32Array[] {
  return specs.map((spec, i) => {
    const values = tensors[`actors/agent_${i}`]
    const { size } = parameterLayout(spec)
    if (!(values instanceof Float32Array) || values.length !== size) {
      throw new HatrpoError(`the checkpoint's actors/agent_${i} is not ${size} f32 parameters`)
    }
    return values
  })
}

/** Brings a trainer to where a checkpoint left it. @returns where its environments stand */
export function restoreSnapshot(trainer: Trainer, { tensors, state }: CheckpointData): EnvProgress[] {
  const f32 = (name: string): Float32Array => {
    const found = tensors[name]
    if (!(found instanceof Float32Array)) throw new HatrpoError(`the checkpoint has no tensor ${name}`)
    return found
  }
  const saved = state as unknown as SnapshotState
  const restoreAdam = (name: string, adam: Adam, powers: Powers) =>
    adam.restore({ m: f32(`optimisers/${name}.m`), v: f32(`optimisers/${name}.v`), powers })

  trainer.actorParameters.forEach((tensor, i) => trainer.device.write(tensor, f32(`actors/agent_${i}`)))
  trainer.device.write(trainer.criticParameters, f32('critics/critic_0'))
  trainer.actorAdams.forEach((adam, i) => restoreAdam(`agent_${i}`, adam, saved.actorPowers[i]))
  restoreAdam('critic_0', trainer.criticAdam, saved.criticPowers)
  if (saved.valueNorm) trainer.valueNorm?.restore(saved.valueNorm)
  saved.shuffles.forEach((count, i) => (trainer.shuffles[i] = count))
  return saved.environments.map((counters, e) => {
    const bytes = tensors[`environments/env_${e}`]
    return { ...counters, state: bytes instanceof Uint8Array ? bytes : null }
  })
}
