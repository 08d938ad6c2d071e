import type { TeamMethod } from '../algorithms/method.js'
import type { PolicyGroup } from '../algorithms/specs.js'
import type { HostArray, Tensor } from '../devices/tensor.js'
import { HatrpoError } from '../errors.js'
import type { Adam } from '../learner/adam.js'
import type { ValueNormState } from '../learner/value-norm.js'
import { parameterLayout } from '../nn/layout.js'
import { carriedColumns, type EnvProgress, type RolloutStorage } from '../rollout/index.js'
import type { CheckpointData } from '../runs/checkpoint.js'
import type { OpponentPool, OpponentState } from './opponents.js'

type Powers = [number, number]

/** Counters of a run between iterations, beside its tensors. */
export interface SnapshotState {
  /** One per policy that Adam moves. */
  readonly actorPowers: readonly Powers[]
  /** One per critic. */
  readonly criticPowers: readonly Powers[]
  readonly valueNorms: readonly (ValueNormState | null)[]
  readonly shuffles: readonly number[]
  /** Ages of what policies' updates carry, one per policy; absent where they carry nothing. */
  readonly carriedAges?: readonly (number | null)[]
  readonly environments: readonly Omit<EnvProgress, 'state'>[]
  /** Only if a single team learns. */
  readonly opponents?: OpponentState
}

/** State of runs made before critics were a list. */
interface SingleCriticState {
  readonly criticPowers: Powers
  readonly valueNorm: ValueNormState | null
}

/** Parts of a method that checkpoints keep. */
type SavedMethod = Pick<TeamMethod, 'device' | 'shuffles' | 'read'> & {
  readonly policies: readonly Pick<
    TeamMethod['policies'][number],
    'name' | 'parameters' | 'adam' | 'carried'
  >[]
  readonly critics: readonly (Pick<
    TeamMethod['critics'][number],
    'name' | 'parameters' | 'adam' | 'valueNorm'
  > & {
    /** Of recurrent critics. */
    readonly states?: Tensor | null
  })[]
}

/** The whole state of a run between two iterations, for a checkpoint. */
export function takeSnapshot(
  method: SavedMethod,
  storage: RolloutStorage,
  progress: readonly EnvProgress[],
  opponents: OpponentPool | null = null,
): CheckpointData {
  const tensors: Record<string, CheckpointData['tensors'][string]> = {}
  const saveAdam = (name: string, adam: Adam): Powers => {
    const { m, v, powers } = adam.save()
    tensors[`optimisers/${name}.m`] = m
    tensors[`optimisers/${name}.v`] = v
    return [...powers]
  }

  for (const { name, parameters } of method.policies)
    tensors[`actors/${name}`] = method.read(parameters.tensor)
  for (const { name, carried } of method.policies)
    if (carried) tensors[`updates/${name}`] = method.read(carried.tensor)
  for (const { name, parameters, states } of method.critics) {
    tensors[`critics/${name}`] = method.read(parameters.tensor)
    if (states) tensors[`states/${name}`] = method.read(states)
  }
  const actorPowers = method.policies.flatMap(({ name, adam }) => (adam ? [saveAdam(name, adam)] : []))
  const criticPowers = method.critics.map(({ name, adam }) => saveAdam(name, adam))
  for (const [name, array] of carriedArrays(storage)) tensors[name] = array.slice()
  const environments = progress.map(({ state, ...counters }, e) => {
    if (state) tensors[`environments/env_${e}`] = state
    return counters
  })
  const pool = opponents?.save()
  Object.assign(tensors, pool?.tensors)
  const state = {
    actorPowers,
    criticPowers,
    valueNorms: method.critics.map(({ valueNorm }) => valueNorm?.save() ?? null),
    shuffles: [...method.shuffles],
    environments,
    ...(pool && { opponents: pool.state }),
    ...(method.policies.some(({ carried }) => carried) && {
      carriedAges: method.policies.map(({ carried }) => carried?.age ?? null),
    }),
  } satisfies SnapshotState
  return { tensors, state }
}

/** Columns with which the next rollout begins, by their names in checkpoints; those that a run does not record are absent. */
function carriedArrays(storage: RolloutStorage): [name: string, array: HostArray][] {
  return carriedColumns.flatMap((column) =>
    storage.layout.agents.flatMap((places, agent): [string, HostArray][] =>
      places[column].width === 0
        ? []
        : [[`rollout/${column}_${agent}`, storage.agentColumn(column, [agent])]],
    ),
  )
}

/**
 * The flat parameter vectors of a checkpoint's policies, one per agent that learns: agents with a common policy have the
 * same one.
 * @throws HatrpoError when they do not fit the networks
 */
export function actorParameters(
  { tensors }: Pick<CheckpointData, 'tensors'>,
  groups: readonly PolicyGroup[],
): Float32Array[] {
  const byAgent: Float32Array[] = []
  for (const { name, agents, spec } of groups) {
    const values = tensors[`actors/${name}`]
    const { size } = parameterLayout(spec)
    if (!(values instanceof Float32Array) || values.length !== size) {
      throw new HatrpoError(`the checkpoint's actors/${name} is not ${size} f32 parameters`)
    }
    for (const agent of agents) byAgent[agent] = values
  }
  return byAgent
}

/** Restores a method and its rollout from a checkpoint. @returns the progress of its environments */
export function restoreSnapshot(
  method: SavedMethod,
  storage: RolloutStorage,
  { tensors, state }: CheckpointData,
  opponents: OpponentPool | null = null,
): EnvProgress[] {
  opponents?.restore({ tensors, state })
  const f32 = (name: string): Float32Array => {
    const found = tensors[name]
    if (!(found instanceof Float32Array)) throw new HatrpoError(`the checkpoint has no tensor ${name}`)
    return found
  }
  const saved = readState({ state })
  const restoreAdam = (name: string, adam: Adam, powers: Powers) =>
    adam.restore({ m: f32(`optimisers/${name}.m`), v: f32(`optimisers/${name}.v`), powers })

  for (const { name, parameters } of method.policies) {
    method.device.write(parameters.tensor, f32(`actors/${name}`))
    parameters.download()
  }
  const moved = method.policies.filter(({ adam }) => adam !== null)
  moved.forEach(({ name, adam }, i) => restoreAdam(name, adam!, saved.actorPowers[i]))
  method.policies.forEach(({ name, carried }, i) => {
    if (!carried) return
    method.device.write(carried.tensor, f32(`updates/${name}`))
    const age = saved.carriedAges?.[i]
    if (typeof age !== 'number') throw new HatrpoError(`the checkpoint has no age of updates/${name}`)
    carried.age = age
  })
  method.critics.forEach(({ name, parameters, adam, valueNorm, states }, j) => {
    method.device.write(parameters.tensor, f32(`critics/${name}`))
    if (states) method.device.write(states, f32(`states/${name}`))
    restoreAdam(name, adam, saved.criticPowers[j])
    const norm = saved.valueNorms[j]
    if (norm) valueNorm?.restore(norm)
  })
  for (const [name, array] of carriedArrays(storage)) array.set(f32(name))
  saved.shuffles.forEach((count, i) => (method.shuffles[i] = count))
  return saved.environments.map((counters, e) => {
    const bytes = tensors[`environments/env_${e}`]
    return { ...counters, state: bytes instanceof Uint8Array ? bytes : null }
  })
}

/** Counters of a checkpoint, of any version. */
export function readState({ state }: Pick<CheckpointData, 'state'>): SnapshotState {
  const saved = state as unknown as SnapshotState | (SnapshotState & SingleCriticState)
  if (!('valueNorm' in saved)) return saved
  return { ...saved, criticPowers: [saved.criticPowers], valueNorms: [saved.valueNorm] }
}
