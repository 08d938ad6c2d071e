import { usageError } from '../../errors.js'
import type { Box, EnvSpec } from '../contract.js'
import type { EnvFactory, EnvFamily, EnvListing } from '../factory.js'
import { box } from '../spaces.js'
import { MamujocoEnv } from './env.js'
import { resolveOptions } from './options.js'
import { PARTITIONS, partition } from './partition.js'
import { findTask, type Task } from './tasks.js'

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  HalfCheetah: 'a planar cheetah of two legs runs',
  Hopper: 'a planar one-legged robot hops',
  Walker2d: 'a planar two-legged robot walks',
}

/** Multi-Agent MuJoCo (C. Schroeder de Witt et al. 2020): the actuators of one robot divided among agents. */
export const mamujoco: EnvFamily = { name: 'mamujoco', list, factory }

function list(): EnvListing[] {
  return names().map((name) => {
    const { spec } = factory(name, {})
    return {
      id: spec.id,
      description: `${DESCRIPTIONS[name.split('-')[0]]}; ${spec.agents.length} agents share its actuators`,
      agents: spec.agents.length,
      observation: largest(spec.agents.map((agent) => agent.observation.size)),
      action: largest(spec.agents.map(({ action }) => (action as Box).size)),
      state: spec.stateSize,
      timeLimit: spec.timeLimit,
    }
  })
}

function factory(name: string, given: Readonly<Record<string, string | number | boolean>>): EnvFactory {
  const [taskName, division] = name.split('-') as [string, string | undefined]
  if (!names().includes(name)) {
    throw usageError(
      `environment mamujoco/${name}: must be one of ${names()
        .map((n) => `mamujoco/${n}`)
        .join(', ')}`,
    )
  }
  const options = resolveOptions(given)
  const task = findTask(taskName, options.version)!
  const actuators = partition(task, division!, options.partition)
  const spec = describe(`mamujoco/${name}`, task, actuators)
  return {
    config: { id: spec.id, ...options },
    spec,
    create: async (context) => new MamujocoEnv(spec, task, actuators, await context.model(task.xml)),
  }
}

function names(): string[] {
  return Object.entries(PARTITIONS).flatMap(([task, divisions]) => divisions.map((d) => `${task}-${d}`))
}

function largest(sizes: readonly number[]): number {
  return Math.max(...sizes)
}

function describe(id: string, task: Task, actuators: readonly (readonly number[])[]): EnvSpec {
  const stateSize = 2 * task.positions - 1
  return {
    id,
    agents: actuators.map((owned, k) => ({
      id: `agent_${k}`,
      observation: box(stateSize),
      action: box(owned.length, -1, 1),
    })),
    stateSize,
    timeLimit: task.timeLimit,
    stepSeconds: task.frames * task.timestep,
    mode: 'cooperative',
  }
}
