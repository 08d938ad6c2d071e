import { HatrpoError, usageError } from '../errors.js'
import type { ActionSpace, AgentSpec, EnvSpec, MultiAgentEnv } from './contract.js'
import type { EnvConfig, EnvFactory } from './factory.js'
import { withReplay } from './replayed.js'
import { defaultFunction, importSource, isFileId, packageId } from './source.js'

type Options = Readonly<Record<string, string | number | boolean>>

/** What a module's default export makes of the options: one environment. */
type MakeEnv = (options: Options) => MultiAgentEnv | Promise<MultiAgentEnv>

/**
 * The factory of the environment that a module's default export makes. Imports the module, and makes one environment
 * to see that it is whole and what its spec is. Environments without `saveState` and `loadState` get them by replay.
 * @throws HatrpoError when the module is missing, cannot be imported, or does not make an environment
 */
export async function loadModuleFactory({ id, ...options }: EnvConfig): Promise<EnvFactory> {
  const source = await importSource(id)
  const { path, sha256 } = source
  const make = defaultFunction(source, 'environment', '(options) => environment') as MakeEnv
  const create = async () => {
    try {
      return await make(options)
    } catch (error) {
      if (error instanceof HatrpoError) throw error
      throw new HatrpoError(`environment ${path} cannot be made: ${firstLine(error)}`, { cause: error })
    }
  }
  const env = await create()
  const problem = findProblem(env)
  if (problem !== undefined) throw usageError(`environment ${path}: ${problem}`)
  const { spec } = env
  env.dispose?.()
  const stored = isFileId(id) ? path : packageId(id)
  return { config: { id: stored, ...options }, spec, sha256, create: async () => withReplay(await create()) }
}

/** What keeps a value from being an environment that can be trained, or undefined. */
function findProblem(env: Partial<MultiAgentEnv> | null | undefined): string | undefined {
  if (typeof env !== 'object' || env === null) {
    return `its default export returned ${env === null ? 'null' : typeof env}: it must return an environment`
  }
  for (const method of ['reset', 'step'] as const) {
    if (typeof env[method] !== 'function') return `${method} is ${typeof env[method]}: it must be a function`
  }
  const [save, load] = [typeof env.saveState, typeof env.loadState]
  for (const [method, type] of [
    ['saveState', save],
    ['loadState', load],
  ] as const) {
    if (type !== 'function' && type !== 'undefined')
      return `${method} is ${type}: it must be a function, or left out`
  }
  if (save !== load) {
    const [has, lacks] = save === 'function' ? ['saveState', 'loadState'] : ['loadState', 'saveState']
    return `it has ${has} but no ${lacks}: give both, or neither to have episodes restored by replaying them`
  }
  return findSpecProblem(env.spec) ?? findViewProblem(env as MultiAgentEnv)
}

function findSpecProblem(spec: Partial<EnvSpec> | undefined): string | undefined {
  if (typeof spec !== 'object' || spec === null) return `spec is ${typeof spec}: it must be an object`
  const { id, agents, stateSize, timeLimit, mode } = spec
  if (typeof id !== 'string' || id === '') return `spec.id is ${show(id)}: it must be a name`
  if (!Array.isArray(agents) || agents.length === 0)
    return `spec.agents is ${show(agents)}: it must list agents`
  for (const [i, agent] of (agents as readonly Partial<AgentSpec>[]).entries()) {
    const problem = findAgentProblem(agent)
    if (problem !== undefined) return `spec.agents[${i}].${problem}`
  }
  if (!isSize(stateSize)) return `spec.stateSize is ${show(stateSize)}: it must be a whole number above 0`
  if (typeof timeLimit !== 'number' || !(timeLimit > 0))
    return `spec.timeLimit is ${show(timeLimit)}: it must be a number of steps above 0, or Infinity`
  if (mode !== 'cooperative' && mode !== 'general')
    return `spec.mode is ${show(mode)}: it must be cooperative or general`
  return undefined
}

function findAgentProblem({ id, observation, action }: Partial<AgentSpec>): string | undefined {
  if (typeof id !== 'string' || id === '') return `id is ${show(id)}: it must be a name`
  if (observation?.kind !== 'box' || !isSize(observation.size))
    return `observation is ${show(observation)}: it must be a box, such as box(3)`
  if (actionSize(action) === undefined)
    return `action is ${show(action)}: it must be a box, discrete or multiDiscrete space, such as box(2, -1, 1)`
  return undefined
}

/** Checks that the views exist and are as long as the spec says. */
function findViewProblem(env: MultiAgentEnv): string | undefined {
  const { agents, stateSize } = env.spec
  const views: [name: string, view: unknown, length: number][] = [
    ['state', env.state, stateSize],
    ['rewards', env.rewards, agents.length],
    ...agents.map(({ observation }, i): [string, unknown, number] => [
      `observations[${i}]`,
      env.observations?.[i],
      observation.size,
    ]),
    ...agents.map(({ action }, i): [string, unknown, number] => [
      `actions[${i}]`,
      env.actions?.[i],
      actionSize(action)!,
    ]),
  ]
  for (const [name, view, length] of views) {
    if (!(view instanceof Float32Array))
      return `${name} is ${typeof view}: it must be a Float32Array of ${length}`
    if (view.length !== length) return `${name} has ${view.length} numbers: it must have ${length}`
  }
  return undefined
}

/** Numbers that an action takes in its view; undefined for what is no action space. */
function actionSize(action: Partial<ActionSpace> | undefined): number | undefined {
  if (action?.kind === 'box') return isSize(action.size) ? action.size : undefined
  if (action?.kind === 'discrete') return isSize(action.n) ? 1 : undefined
  if (action?.kind !== 'multiDiscrete' || !Array.isArray(action.sizes)) return undefined
  return action.sizes.length > 0 && action.sizes.every(isSize) ? action.sizes.length : undefined
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function show(value: unknown): string {
  return String(typeof value === 'number' ? value : JSON.stringify(value)).slice(0, 60)
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]
}
