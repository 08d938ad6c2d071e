import { parameterLayout } from '../../src/nn/layout.js'
import { openHost } from '../../src/devices/open.js'
import type { HostDevice } from '../../src/devices/host.js'
import type { HostArray, Tensor } from '../../src/devices/tensor.js'
import { loadEnvFactory, type EnvConfig, type EnvSpec } from '../../src/envs/index.js'
import { gaussianHead } from '../../src/learner/heads/gaussian.js'
import type { PolicySpec } from '../../src/learner/heads/head.js'
import {
  AGENT_COLUMNS,
  agentColumns,
  TEAM_COLUMNS,
  teamColumns,
  type Column,
} from '../../src/rollout/columns.js'
import {
  BASIC_NEEDS,
  openSource,
  RolloutStorage,
  WorkerPolicies,
  type RolloutNeeds,
  type RolloutSource,
} from '../../src/rollout/index.js'
import { normals } from '../reference/dense.js'

export const SEED = 5
export const ENVS = 3
export const STEPS = 20

/** Everything that a rollout can record. */
export const ALL_NEEDS: RolloutNeeds = {
  ...BASIC_NEEDS,
  observationValues: true,
  episodeStarts: true,
  hidden: 2,
}

export interface Opened {
  readonly host: HostDevice
  readonly spec: EnvSpec
  readonly storage: RolloutStorage
  readonly source: RolloutSource
  readonly policies: WorkerPolicies
  /** Descriptions and parameters of the policies. */
  readonly specs: readonly PolicySpec[]
  readonly parameters: readonly Tensor[]
  readonly events: string[]
}

/** Policies of a fixed seed, large enough that their actions matter; recurrent ones where states are recorded. */
function policySpecs(spec: EnvSpec, hidden: number): PolicySpec[] {
  return spec.agents.map(({ observation, action }) => ({
    input: { size: observation.size, agentId: null, standardise: false, layerNorm: false },
    hidden: [6],
    activation: 'relu',
    recurrent: hidden > 0 ? { size: hidden, layers: 1 } : null,
    head: gaussianHead(action.kind === 'box' ? action.size : 1, { stdX: 1, stdY: 0.5 }),
  }))
}

/** A source of rollouts of an environment, its storage and policies. @param workers 0 for the source without threads */
export async function open(
  workers: number,
  env: EnvConfig,
  { needs = BASIC_NEEDS, oneReward = true }: { needs?: RolloutNeeds; oneReward?: boolean } = {},
): Promise<Opened> {
  const host = await openHost()
  const { spec } = await loadEnvFactory(env)
  const storage = new RolloutStorage(host, spec, ENVS, STEPS, needs)
  const events: string[] = []
  const onEvent = (message: string) => void events.push(message)
  const options = { workers, envs: ENVS, seed: SEED, env, oneReward, onEvent }
  const source = openSource(host, storage, options)
  const specs = policySpecs(spec, needs.hidden)
  const parameters = specs.map((policy, i) => {
    const values = normals(parameterLayout(policy).size, 30 + i, 0.5)
    const tensor = host.tensor('f32', values.length)
    host.write(tensor, values)
    return tensor
  })
  const rows = source.shares.map(({ count }) => count)
  const policies = new WorkerPolicies(host, specs, parameters, rows, SEED)
  policies.prepare()
  return { host, spec, storage, source, policies, specs, parameters, events }
}

/** A recorded column of the team or of an agent. */
export interface Recorded {
  readonly name: string
  readonly column: Column<never>
  readonly width: number
  readonly values: HostArray
}

/** Copies of all columns that a rollout recorded. */
export function recorded(storage: RolloutStorage): Recorded[] {
  const team = teamColumns.map((name) => ({
    name,
    column: TEAM_COLUMNS[name],
    width: storage.layout.team[name].width,
    values: storage.team[name].slice(),
  }))
  const agents = storage.layout.agents.flatMap((places, i) =>
    agentColumns.map((name) => ({
      name: `${name} ${i}`,
      column: AGENT_COLUMNS[name],
      width: places[name].width,
      values: storage.agentColumn(name, [i]).slice(),
    })),
  )
  return [...team, ...agents]
}
