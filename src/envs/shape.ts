import { show } from '../text/show.js'
import type { ActionSpace, AgentSpec, Box, EnvSpec, MultiAgentEnv } from './contract.js'

/** A fault that keeps a value from being an environment. */
export interface ShapeProblem {
  /** Whether the spec is wrong, or what should be as it says. */
  readonly where: 'spec' | 'shape'
  /** One line: the fault and the valid form. */
  readonly message: string
}

/** Everything about a value's methods, spec and views that keeps it from being an environment; empty when it is one. */
export function findShapeProblems(value: unknown): ShapeProblem[] {
  if (typeof value !== 'object' || value === null) {
    const message = `what makes it returned ${typeName(value)}: it must return an environment`
    return [{ where: 'shape', message }]
  }
  const env = value as Partial<MultiAgentEnv>
  const named = (where: ShapeProblem['where'], messages: Iterable<string>): ShapeProblem[] =>
    Array.from(messages, (message) => ({ where, message }))
  const methods = named('shape', methodProblems(env))
  const spec = named('spec', specProblems(env.spec))
  // Only a complete spec determines the lengths of views.
  const views = spec.length === 0 ? named('shape', viewProblems(env as MultiAgentEnv)) : []
  return [...methods, ...spec, ...views]
}

function* methodProblems(env: Partial<MultiAgentEnv>): Generator<string> {
  for (const method of ['reset', 'step'] as const) {
    if (typeof env[method] !== 'function') yield `${method} is ${typeof env[method]}: it must be a function`
  }
  const [save, load] = [typeof env.saveState, typeof env.loadState]
  const optional = {
    saveState: save,
    loadState: load,
    submit: typeof env.submit,
    dispose: typeof env.dispose,
    scene: typeof env.scene,
  }
  for (const [method, type] of Object.entries(optional)) {
    if (type !== 'function' && type !== 'undefined')
      yield `${method} is ${type}: it must be a function, or left out`
  }
  if (save !== load) {
    const [has, lacks] = save === 'function' ? ['saveState', 'loadState'] : ['loadState', 'saveState']
    yield `it has ${has} but no ${lacks}: give both, or neither to have episodes restored by replaying them`
  }
}

function* specProblems(spec: Partial<EnvSpec> | undefined): Generator<string> {
  if (typeof spec !== 'object' || spec === null) {
    yield `spec is ${spec === null ? 'null' : typeof spec}: it must be an object`
    return
  }
  const { id, agents, stateSize, observesState, timeLimit, truncatesAfter, mode, teams } = spec
  if (typeof id !== 'string' || id === '') yield `spec.id is ${show(id)}: it must be a name`
  if (!Array.isArray(agents) || agents.length === 0)
    yield `spec.agents is ${show(agents)}: it must list agents`
  else yield* agentProblems(agents as readonly Partial<AgentSpec>[])
  if (!isSize(stateSize)) yield `spec.stateSize is ${show(stateSize)}: it must be a whole number above 0`
  if (observesState !== undefined && typeof observesState !== 'boolean')
    yield `spec.observesState is ${show(observesState)}: it must be true or false, or left out`
  else if (observesState && Array.isArray(agents)) yield* lengthProblems(agents as AgentSpec[], stateSize)
  if (typeof timeLimit !== 'number' || !(timeLimit > 0))
    yield `spec.timeLimit is ${show(timeLimit)}: it must be a number of steps above 0, or Infinity`
  else if (timeLimit !== Infinity && !Number.isSafeInteger(timeLimit))
    yield `spec.timeLimit is ${timeLimit}: it must be a whole number of steps, or Infinity`
  if (truncatesAfter !== undefined && !isSize(truncatesAfter))
    yield `spec.truncatesAfter is ${show(truncatesAfter)}: it must be a whole number of steps above 0, or left out`
  if (mode !== 'cooperative' && mode !== 'general')
    yield `spec.mode is ${show(mode)}: it must be cooperative or general`
  if (teams !== undefined && Array.isArray(agents)) yield* teamProblems(spec)
}

/** Faults of the teams of a spec. */
function* teamProblems({ agents = [], teams, mode }: Partial<EnvSpec>): Generator<string> {
  const named = teams as unknown
  const lists = typeof named === 'object' && named !== null ? Object.entries(named) : []
  if (lists.length === 0 || lists.some(([, members]) => !Array.isArray(members) || members.length === 0)) {
    yield `spec.teams is ${show(teams)}: it must give each team's agents, such as { home: ['a', 'b'], away: ['c'] }`
    return
  }
  const members = lists.flatMap(([, ids]) => ids as readonly unknown[])
  const ids = agents.map(({ id }): unknown => id)
  const stranger = members.find((id) => !ids.includes(id))
  if (stranger !== undefined) yield `spec.teams names ${show(stranger)}: no agent has that id`
  const twice = members.find((id, i) => members.indexOf(id) !== i)
  if (twice !== undefined) yield `spec.teams names ${show(twice)} twice: an agent is in one team`
  const alone = ids.find((id) => !members.includes(id))
  if (alone !== undefined) yield `spec.teams lacks ${show(alone)}: every agent is in one team`
  if (mode === 'cooperative' && lists.length > 1)
    yield `spec.mode is cooperative, but spec.teams has ${lists.length} teams: set spec.mode to general`
}

/** The first agent whose observation cannot be the state. */
function* lengthProblems(agents: readonly Partial<AgentSpec>[], stateSize: unknown): Generator<string> {
  const other = agents.find((agent) => agent?.observation?.size !== stateSize)
  if (other === undefined) return
  const sizes = `${show(other?.id)} observes ${show(other?.observation?.size)} numbers and the state has ${show(stateSize)}`
  yield `spec.observesState is true, but ${sizes}: leave observesState out`
}

function* agentProblems(agents: readonly Partial<AgentSpec>[]): Generator<string> {
  const ids = new Set<string>()
  for (const [i, agent] of agents.entries()) {
    const { id, observation, action } = agent ?? {}
    const name = `spec.agents[${i}]`
    if (typeof id !== 'string' || id === '') yield `${name}.id is ${show(id)}: it must be a name`
    else if (ids.has(id)) yield `${name}.id is ${show(id)}, as another agent's is: give each its own`
    else ids.add(id)
    if (observation?.kind !== 'box' || !isBox(observation))
      yield `${name}.observation is ${show(observation)}: it must be a box, such as box(3)`
    if (actionSize(action) === undefined)
      yield `${name}.action is ${show(action)}: it must be a box, discrete or multiDiscrete space, such as box(2, -1, 1)`
  }
}

/** Checks that the views exist and are as long as the spec says. */
function* viewProblems(env: MultiAgentEnv): Generator<string> {
  const { agents, stateSize } = env.spec
  yield* arrayProblems('state', env.state, Float32Array, stateSize)
  yield* arrayProblems('rewards', env.rewards, Float32Array, agents.length)
  for (const [i, { observation, action }] of agents.entries()) {
    yield* arrayProblems(`observations[${i}]`, env.observations?.[i], Float32Array, observation.size)
    yield* arrayProblems(`actions[${i}]`, env.actions?.[i], Float32Array, actionSize(action))
    if (env.availableActions !== undefined)
      yield* arrayProblems(`availableActions[${i}]`, env.availableActions?.[i], Uint8Array, maskSize(action))
  }
  for (const name of ['observations', 'actions', 'availableActions'] as const) {
    const length = env[name]?.length ?? 0
    if (length > agents.length)
      yield `${name} has ${length} entries: it must have one per agent, ${agents.length}`
  }
  if (env.active !== undefined) yield* arrayProblems('active', env.active, Uint8Array, agents.length)
}

function* arrayProblems(
  name: string,
  view: unknown,
  type: typeof Float32Array | typeof Uint8Array,
  length: number,
): Generator<string> {
  if (!(view instanceof type)) yield `${name} is ${typeName(view)}: it must be a ${type.name} of ${length}`
  else if (view.length !== length) yield `${name} has ${view.length} numbers: it must have ${length}`
}

/** Numbers of an action in its view; undefined for an invalid action space. */
export function actionSize(action: ActionSpace): number
export function actionSize(action: Partial<ActionSpace> | undefined): number | undefined
export function actionSize(action: Partial<ActionSpace> | undefined): number | undefined {
  if (action?.kind === 'box') return isBox(action) ? action.size : undefined
  if (action?.kind === 'discrete') return isSize(action.n) ? 1 : undefined
  if (action?.kind !== 'multiDiscrete' || !Array.isArray(action.sizes)) return undefined
  return action.sizes.length > 0 && action.sizes.every(isSize) ? action.sizes.length : undefined
}

/** Length of an agent's mask: one entry per choice, none for continuous actions. */
export function maskSize(action: ActionSpace): number {
  if (action.kind === 'box') return 0
  return action.kind === 'discrete' ? action.n : action.sizes.reduce((sum, n) => sum + n, 0)
}

function isBox({ size, low, high }: Partial<Box>): boolean {
  return (
    isSize(size) && low?.length === size && high?.length === size && low.every((value, i) => value <= high[i])
  )
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function typeName(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return (value as { constructor?: { name?: string } }).constructor?.name ?? 'object'
}
