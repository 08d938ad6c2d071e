import { usageError } from '../../errors.js'
import type { EnvSpec } from '../contract.js'
import { nearestName } from '../../text/nearest.js'
import { box } from '../spaces.js'
import { doublesOf } from '../mujoco/load.js'
import type { PhysicsModel } from '../mujoco/world.js'
import { values, type ObservationElement } from '../mamujoco/elements.js'
import { VIEWS, type ResetNoise, type TeamSettings, type View } from './definition.js'
import { DrivenJoints } from './joints.js'
import { ModelNames } from './names.js'
import { FIELD_NAMES, findReading } from './readings.js'
import type { Where } from './settings.js'

/** Control of one actuator from its action: offset + gain x action. */
interface Control {
  readonly actuator: number
  readonly gain: number
  readonly offset: number
}

/** A team laid over a model: all that an environment of it needs besides the world and the functions. */
export interface TeamPlan {
  readonly spec: EnvSpec
  /** One per agent, in the order of its action. */
  readonly controls: readonly (readonly Control[])[]
  /** One per agent. */
  readonly observations: readonly (readonly ObservationElement[])[]
  readonly state: readonly ObservationElement[]
  readonly names: ModelNames
  readonly frames: number
  readonly resetNoise: ResetNoise
  /** Number of the keyframe that episodes start from. */
  readonly keyframe: number | undefined
}

/**
 * Resolves a team on a model.
 * @throws HatrpoError (exit code 2) for unknown names, actuators with no or several agents, and agents that would
 *   observe nothing
 */
export function planTeam(id: string, settings: TeamSettings, model: PhysicsModel, where: Where): TeamPlan {
  const names = new ModelNames(model)
  const actuators = dealActuators(settings.agents, names, where)
  const joints = new DrivenJoints(model, names)
  const look = (views: readonly string[], own: readonly number[], key: 'observe' | 'state') =>
    views.flatMap((view) => elementsOf(view, own, joints, model, names, where(key)))
  const observations = settings.observe.map((views, k) => look(views, actuators[k], 'observe'))
  const blind = observations.findIndex((elements) => elements.length === 0)
  if (blind >= 0) {
    throw usageError(
      `${where('observe')}: agent ${settings.agents[blind].id} would observe nothing of this model`,
    )
  }
  const state = distinct(
    settings.state ? look(settings.state, [], 'state') : [...joints.all(), ...observations.flat()],
  )
  if (state.length === 0) throw usageError(`${where('state')}: the critic would observe nothing`)
  const { controls, bounds } = planControls(actuators, settings.controlScale, model)
  const spec: EnvSpec = {
    id,
    agents: settings.agents.map((agent, k) => ({
      id: agent.id,
      observation: box(observations[k].length),
      action: box(
        actuators[k].length,
        bounds[k].map(([low]) => low),
        bounds[k].map(([, high]) => high),
      ),
    })),
    stateSize: state.length,
    timeLimit: settings.timeLimit,
    stepSeconds: settings.frames * model.handle.opt.timestep,
    mode: 'cooperative',
  }
  const keyframe = findKeyframe(settings.keyframe, names, where)
  const { frames, resetNoise } = settings
  return { spec, controls, observations, state, names, frames, resetNoise, keyframe }
}

/** The numbers of each agent's actuators. */
function dealActuators(agents: TeamSettings['agents'], names: ModelNames, where: Where): number[][] {
  const owners = new Map<number, string>()
  const dealt = agents.map(({ id, actuators }) =>
    actuators.map((name) => {
      const actuator = names.find('actuator', name, where('agents'))
      const owner = owners.get(actuator)
      if (owner !== undefined) {
        const twice = owner === id ? `twice to ${id}` : `to both ${owner} and ${id}`
        throw usageError(
          `${where('agents')}: actuator ${name} is given ${twice}: give every actuator to one agent`,
        )
      }
      owners.set(actuator, id)
      return actuator
    }),
  )
  const left = names.list('actuator').filter((_, actuator) => !owners.has(actuator))
  if (left.length > 0) {
    throw usageError(
      `${where('agents')}: no agent has the actuator${left.length > 1 ? 's' : ''} ${left.join(', ')}: give every actuator to one agent`,
    )
  }
  return dealt
}

function elementsOf(
  view: string,
  actuators: readonly number[],
  joints: DrivenJoints,
  model: PhysicsModel,
  names: ModelNames,
  where: string,
): ObservationElement[] {
  switch (view as View) {
    case 'own':
      return joints.own(actuators)
    case 'neighbours':
      return joints.neighbours(actuators)
    case 'others':
      return joints.others(actuators)
    case 'base':
      return joints.base()
    case 'all':
      return joints.all()
    default: {
      const meant = nearestName(view, VIEWS)
      if (meant !== undefined && !(FIELD_NAMES as readonly string[]).includes(view))
        throw usageError(`${where}: there is no ${view}: did you mean ${meant}?`)
      const { array, index, count } = findReading(view, model, names, where)
      return values(array, index, count)
    }
  }
}

function distinct(elements: readonly ObservationElement[]): ObservationElement[] {
  return [...new Map(elements.map((element) => [`${element.array} ${element.index}`, element])).values()]
}

type Bounds = readonly [low: number, high: number]

function planControls(
  actuators: readonly (readonly number[])[],
  scale: number | undefined,
  model: PhysicsModel,
): { controls: Control[][]; bounds: Bounds[][] } {
  const ranges = doublesOf(model.handle, 'actuator_ctrlrange')
  const limited = model.flags['actuator_ctrllimited'] ?? []
  const range = (actuator: number): Bounds =>
    limited[actuator] === 1 ? [ranges[2 * actuator], ranges[2 * actuator + 1]] : [-Infinity, Infinity]
  const spans = (actuator: number) => scale === undefined && limited[actuator] === 1
  const control = (actuator: number): Control => {
    if (!spans(actuator)) return { actuator, gain: scale ?? 1, offset: 0 }
    const [low, high] = range(actuator)
    return { actuator, gain: (high - low) / 2, offset: (high + low) / 2 }
  }
  const bounds = (actuator: number): Bounds => {
    if (spans(actuator)) return [-1, 1]
    const [low, high] = range(actuator)
    return [low / (scale ?? 1), high / (scale ?? 1)]
  }
  return {
    controls: actuators.map((own) => own.map(control)),
    bounds: actuators.map((own) => own.map(bounds)),
  }
}

function findKeyframe(name: string | undefined, names: ModelNames, where: Where): number | undefined {
  if (name === undefined) return names.list('keyframe').length > 0 ? 0 : undefined
  return name === 'none' ? undefined : names.find('keyframe', name, where('keyframe'))
}
