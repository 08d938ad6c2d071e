import { usageError } from '../../errors.js'
import type { EnvSpec } from '../contract.js'
import { listEnv, type EnvFactory, type EnvFamily, type EnvListing } from '../factory.js'
import { box } from '../spaces.js'
import { noSuchEnv } from '../unknown-id.js'
import { MamujocoEnv, type AgentPart } from './env.js'
import { jointGraph } from './graph.js'
import { localElements } from './local.js'
import { resolveOptions, type MamujocoOptions } from './options.js'
import { divisionNames, hasDivision, parseSegments, partition } from './partition.js'
import { taskModel, type Task } from './task.js'
import { findTask, TASK_NAMES, taskVersions, usualVersion } from './tasks.js'

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  HalfCheetah: 'a planar cheetah of two legs runs',
  Hopper: 'a planar one-legged robot hops',
  Walker2d: 'a planar two-legged robot walks',
  Ant: 'a four-legged robot walks',
  Humanoid: 'a humanoid robot walks',
  HumanoidStandup: 'a humanoid robot lying on its back stands up',
  Swimmer: 'a three-link robot swims',
  ManySegmentSwimmer: 'a chain of any number of links swims',
  ManySegmentAnt: 'a chain of any number of two-legged segments walks',
  CoupledHalfCheetah: 'two cheetahs joined by a tendon run',
  Reacher: 'a two-joint arm reaches for a target',
  Pusher: 'a seven-joint arm pushes an object to a goal',
}

/** Any model as a team (src/envs/team). It has no fixed task, so it is not listed. */
const CUSTOM = 'custom'

/** Multi-Agent MuJoCo (C. Schroeder de Witt et al. 2020): the actuators of one robot divided among agents. */
export const mamujoco: EnvFamily = { name: 'mamujoco', simulated: true, list, factory }

function list(): EnvListing[] {
  return names().map((name) => {
    const { spec } = factory(name, {})
    const task = DESCRIPTIONS[name.split('-')[0]]
    return listEnv(spec, `${task}; ${spec.agents.length} agents share its actuators`)
  })
}

function factory(name: string, given: Readonly<Record<string, string | number | boolean>>): EnvFactory {
  if (name === CUSTOM) {
    throw usageError(`environment mamujoco/${CUSTOM}: is made from files: must be loaded with loadEnvFactory`)
  }
  const [taskName, division = ''] = name.split('-')
  const versions = taskVersions(taskName)
  if (versions === undefined || name !== `${taskName}-${division}` || !hasDivision(taskName, division)) {
    const known = names().map((other) => `mamujoco/${other}`)
    throw noSuchEnv(
      `mamujoco/${name}`,
      known,
      `must be one of ${known.join(', ')}; the many-segment ones in any size, agents x segments each; or mamujoco/custom, a model of your own`,
    )
  }
  const options = resolveOptions(given, versions, usualVersion(taskName))
  const task = withOptions(findTask(taskName, options.version, segments(taskName, division))!, options)
  const parts = agentParts(task, division, options)
  // The published code gives actions from -1 to 1 and maps them on to the actuators' range; Farama's gives the range.
  const scale = options.partition === 'harl' ? task.controlRange : 1
  const spec = describe(`mamujoco/${name}`, task, parts, task.controlRange / scale)
  return {
    config: { id: spec.id, ...options },
    spec,
    create: async (context) => new MamujocoEnv(spec, task, parts, scale, await taskModel(context, task)),
  }
}

function segments(taskName: string, division: string): number | undefined {
  const size = parseSegments(taskName, division)
  return size && size.agents * size.each
}

/** The task with the values that options override. */
function withOptions(task: Task, { resetNoise, timeLimit }: MamujocoOptions): Task {
  const noise = resetNoise === undefined ? {} : { scale: resetNoise, velocityScale: resetNoise }
  return {
    ...task,
    resetNoise: { ...task.resetNoise, ...noise },
    timeLimit: timeLimit ?? task.timeLimit,
  }
}

/** Actuators and observation of each agent. */
export function agentParts(task: Task, division: string, options: MamujocoOptions): AgentPart[] {
  const divided = partition(task, division, options.partition, options.mapping)
  if (options.obs === 'full') return divided.map((actuators) => ({ actuators }))
  const graph = jointGraph(task, options.mapping ?? 'corrected')
  const view = {
    depth: Number(options.obs),
    categories: options.categories?.split('/').map((names) => names.split(',')) ?? graph.categories,
    globals: options.globals === 'none' ? [] : (options.globals ?? 'qpos,qvel').split(','),
  }
  const parts = divided.map((actuators) => ({
    actuators,
    elements: localElements(task, graph, actuators, view),
  }))
  const blind = parts.findIndex(({ elements }) => elements.length === 0)
  if (blind >= 0) {
    throw usageError(
      `env.categories=${options.categories ?? ''}: agent_${blind} of ${task.name}-${division} would observe nothing; must include a quantity of its joints, such as qpos`,
    )
  }
  return parts
}

function names(): string[] {
  return TASK_NAMES.flatMap((task) => divisionNames(task).map((division) => `${task}-${division}`))
}

function describe(id: string, task: Task, parts: readonly AgentPart[], range: number): EnvSpec {
  const stateSize = task.observation.length
  return {
    id,
    agents: parts.map(({ actuators, elements }, k) => ({
      id: `agent_${k}`,
      observation: box(elements?.length ?? stateSize),
      action: box(actuators.length, -range, range),
    })),
    stateSize,
    observesState: parts.every(({ elements }) => elements === undefined),
    timeLimit: task.timeLimit,
    stepSeconds: task.frames * task.timestep,
    mode: 'cooperative',
  }
}
