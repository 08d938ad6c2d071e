import { usageError } from '../../errors.js'
import { byCloseness } from '../../text/nearest.js'
import type { MujocoTeam, ResetNoise, TeamSettings } from './definition.js'

/** Names a key of the definition, and its value where it is short, as the user wrote them: an error line's beginning. */
export type Where = (key: keyof MujocoTeam) => string

type Unchecked = { readonly [K in keyof MujocoTeam]?: unknown }

/**
 * Checks the form of a definition and fills in the defaults. Further checks need the model.
 * @throws HatrpoError (exit code 2) naming the key, its value and the valid values
 */
export function checkSettings(team: MujocoTeam, where: Where): TeamSettings {
  const given: Unchecked = team
  const refuse = (key: keyof MujocoTeam, must: string): never => {
    throw usageError(`${where(key)}: must be ${must}`)
  }
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key)) {
      throw usageError(
        `${where(key as keyof MujocoTeam)}: no such key; keys are ${byCloseness(key, KEYS).join(', ')}`,
      )
    }
  }
  for (const key of ['frames', 'timeLimit'] as const) {
    if (given[key] !== undefined && !isCount(given[key])) refuse(key, 'a whole number from 1')
  }
  const { controlScale, keyframe } = given
  if (controlScale !== undefined && !(isFinite(controlScale) && controlScale > 0))
    refuse('controlScale', 'a number above 0')
  if (keyframe !== undefined && typeof keyframe !== 'string')
    refuse('keyframe', 'the name of a keyframe, or none')
  if (typeof given.reward !== 'function') refuse('reward', 'a function (scene) => number')
  for (const key of ['terminated', 'start'] as const) {
    if (given[key] !== undefined && typeof given[key] !== 'function') refuse(key, 'a function')
  }
  if (given.keep !== undefined && !isNames(given.keep))
    refuse('keep', 'a list of readings such as xpos:torso')
  if (given.state !== undefined && !isNames(given.state)) refuse('state', VIEW_LIST)
  const agents = checkAgents(given.agents, () => refuse('agents', AGENT_LISTS))
  return {
    agents,
    observe: checkObserve(given.observe, agents, (must) => refuse('observe', must)),
    state: team.state,
    frames: team.frames ?? 5,
    timeLimit: team.timeLimit ?? 1000,
    resetNoise: checkNoise(given.resetNoise, () =>
      refuse('resetNoise', 'a number from 0, or {position, velocity}'),
    ),
    keyframe: team.keyframe,
    controlScale: team.controlScale,
  }
}

/** All keys of a definition; the type holds the list to be whole. */
const KEYS: readonly string[] = Object.keys({
  model: true,
  name: true,
  agents: true,
  observe: true,
  state: true,
  frames: true,
  timeLimit: true,
  resetNoise: true,
  keyframe: true,
  controlScale: true,
  reward: true,
  terminated: true,
  start: true,
  keep: true,
} satisfies Record<keyof MujocoTeam, true>)

const VIEW_LIST = 'a list of own, neighbours, others, base, all and readings such as sensor:gyro'
const AGENT_LISTS =
  "a list of actuators for each agent, such as {front: ['hip_1', 'knee_1'], back: ['hip_2', 'knee_2']}"

function checkAgents(agents: unknown, refuse: () => never): TeamSettings['agents'] {
  if (typeof agents !== 'object' || agents === null) refuse()
  const entries: [string, unknown][] = Array.isArray(agents)
    ? agents.map((actuators, k) => [`agent_${k}`, actuators])
    : Object.entries(agents)
  if (entries.length === 0) refuse()
  return entries.map(([id, actuators]) => (isNames(actuators) && id !== '' ? { id, actuators } : refuse()))
}

function checkObserve(
  observe: unknown,
  agents: TeamSettings['agents'],
  refuse: (must: string) => never,
): TeamSettings['observe'] {
  if (observe === undefined) return agents.map(() => ['all'])
  if (isNames(observe)) return agents.map(() => observe)
  const ids = agents.map(({ id }) => id)
  const must = `${VIEW_LIST}, or one such list for each of ${ids.join(', ')}`
  if (typeof observe !== 'object' || observe === null || Array.isArray(observe)) refuse(must)
  if (Object.keys(observe).some((id) => !ids.includes(id))) refuse(must)
  return ids.map((id) => {
    const views = (observe as Record<string, unknown>)[id]
    return isNames(views) ? views : refuse(must)
  })
}

function checkNoise(noise: unknown, refuse: () => never): ResetNoise {
  if (noise === undefined) return { position: 0.01, velocity: 0.01 }
  const isScale = (x: unknown): x is number => isFinite(x) && x >= 0
  if (isScale(noise)) return { position: noise, velocity: noise }
  if (typeof noise !== 'object' || noise === null) refuse()
  const { position, velocity } = noise as Partial<ResetNoise>
  return isScale(position) && isScale(velocity) ? { position, velocity } : refuse()
}

function isCount(x: unknown): x is number {
  return Number.isSafeInteger(x) && (x as number) >= 1
}

function isFinite(x: unknown): x is number {
  return Number.isFinite(x)
}

/** A list of at least one text, none of them empty. */
function isNames(x: unknown): x is readonly string[] {
  return Array.isArray(x) && x.length > 0 && x.every((name) => typeof name === 'string' && name !== '')
}
