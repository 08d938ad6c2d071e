import type { ObservationElement } from '../../src/envs/mamujoco/elements.js'
import type { TaskSimulation, RewardTerms } from '../../src/envs/mamujoco/simulation.js'
import type { Task } from '../../src/envs/mamujoco/task.js'
import { BOUND, type Differences } from './differences.js'
import {
  difference,
  largestDifference,
  relativeDifference,
  structuralDifference,
  toNumber,
  toNumbers,
} from './difference.js'
import type { Converged, Outcome, Transition } from './env-file.js'

/**
 * Bounds for steps whose solver stops unconverged, where versions of MuJoCo differ. Those of qpos, qvel, reward and
 * cfrc_ext are the ones that come with the files; inertias about the centre of mass move as positions do, and their
 * velocities as velocities. Forces of actuators do not depend on the solver.
 */
const LOOSE: Readonly<Record<string, number>> = {
  qpos: 1e-3,
  cinert: 1e-3,
  qvel: 1e-1,
  cvel: 1e-1,
  reward: 5e-3,
  cfrc_ext: 0.2,
  qfrc_actuator: BOUND,
}

/** Arrays whose numbers are compared absolutely; those of others relative to numbers above 1. */
const ABSOLUTE: readonly string[] = ['qpos', 'qvel']

/** Gymnasium's names of the parts of a reward. */
const TERMS: Readonly<Record<string, keyof RewardTerms>> = {
  reward_forward: 'progress',
  forward_reward: 'progress',
  reward_run: 'progress',
  reward_fwd: 'progress',
  reward_linvel: 'progress',
  reward_linup: 'progress',
  reward_ctrl: 'control',
  reward_quadctrl: 'control',
  reward_survive: 'healthy',
  reward_alive: 'healthy',
  reward_contact: 'contact',
  reward_impact: 'contact',
  reward_near: 'near',
  reward_dist: 'distance',
}

/** Positions and other velocities in `info`: they follow from the state, which is compared. */
const FOLLOWS = [
  'x_position',
  'y_position',
  'y_velocity',
  'distance_from_origin',
  'z_distance_from_origin',
  'tendon_length',
  'tendon_velocity',
  'x_position1',
  'x_position2',
]

/** Of the coupled cheetahs, in `info`: what both cheetahs have, whose mean is ours. */
const COUPLED = /^(x_velocity|reward_ctrl)[12]$/

/** Values in `info` of Gymnasium's versions that differ from the charged costs. */
const INFO_SLIPS: Readonly<Record<string, (terms: RewardTerms, task: Task) => number>> = {
  // Ant with contact forces writes the contact cost over the control cost's entry.
  'v4c reward_ctrl': ({ contact }) => contact,
  // The arms write the control cost without its weight.
  'v4 reward_ctrl': ({ control }, { controlCost, distanceCosts }) =>
    distanceCosts === undefined ? control : control / controlCost,
}

/** Fields of a step that are compared, or follow from compared ones. */
export const OUTCOME_FIELDS = [
  ...['action', 'reward', 'terminated', 'obs', 'info', 'qpos', 'qvel'],
  ...['kind', 'contact', 'ncon_max', 'nefc_max'],
]
export const TRANSITION_FIELDS = [
  ...OUTCOME_FIELDS,
  ...['next_qpos', 'next_qvel', 'same_state_as', 'obs_at_state', 'qpos_after_set_state', 'converged'],
]

const CONVERGED_FIELDS = ['next_qpos', 'next_qvel', 'reward', 'terminated', 'info', 'obs_cfrc_ext']

/** Options to compare a step: names of its quantities, and whether its solver stopped before convergence. */
interface Manner {
  readonly prefix: string
  readonly loose: boolean
  readonly version: string
}

/** Tasks that run 50 sweeps of projected Gauss-Seidel, which is not enough. */
export function isUnconverged(task: string): boolean {
  return task.startsWith('Humanoid')
}

export function isConstrained(task: string, step: Transition): boolean {
  return isUnconverged(task) && step.contact !== 'free'
}

/** Compares where a step led: the state, the observation, the reward and its parts, and whether the episode ended. */
export function compareOutcome(
  step: Pick<Outcome, 'reward' | 'terminated' | 'obs' | 'info'>,
  next: { qpos: unknown; qvel: unknown },
  simulation: TaskSimulation,
  differences: Differences,
  manner: Manner,
): void {
  const { prefix, loose } = manner
  const { world, task } = simulation
  const memory = world.doubles()
  const read = (at: number, length: number) => memory.subarray(at, at + length)
  const bound = (name: string) => (loose ? LOOSE[name] : BOUND)
  const qpos = largestDifference(toNumbers(next.qpos), read(world.qpos, world.model.nq))
  const qvel = largestDifference(toNumbers(next.qvel), read(world.qvel, world.model.nv))
  differences.add(`${prefix}.qpos`, qpos, bound('qpos'))
  differences.add(`${prefix}.qvel`, qvel, bound('qvel'))
  if (step.obs !== undefined) {
    compareElements(toNumbers(step.obs), simulation.observation, task.observation, differences, {
      ...manner,
      prefix: `${prefix}.obs`,
    })
  }
  differences.add(`${prefix}.reward`, structuralDifference(step.reward, simulation.reward), bound('reward'))
  const ended = simulation.ended
  differences.add(`${prefix}.terminated`, Math.abs(Number(step.terminated) - Number(ended)))
  compareTerms(step.info ?? {}, simulation, differences, manner)
}

/** Compares an observation, array by array where their bounds differ. */
export function compareElements(
  golden: readonly number[],
  ours: ArrayLike<number>,
  elements: readonly ObservationElement[],
  differences: Differences,
  { prefix, loose }: Manner,
): void {
  if (golden.length !== elements.length) {
    differences.add(prefix, Infinity)
    return
  }
  elements.forEach(({ array }, i) => {
    const absolute = ABSOLUTE.includes(array)
    const distance = absolute ? difference(golden[i], ours[i]) : relativeDifference(golden[i], ours[i])
    if (loose) differences.add(`${prefix}.${array}`, distance, LOOSE[array])
    else differences.add(absolute ? prefix : `${prefix}.${array}.relative`, distance)
  })
}

function compareTerms(
  info: Readonly<Record<string, unknown>>,
  simulation: TaskSimulation,
  differences: Differences,
  { prefix, loose, version }: Manner,
): void {
  const bound = loose ? LOOSE['reward'] : BOUND
  for (const [name, value] of Object.entries(info)) {
    if (name === 'x_velocity') {
      differences.add(`${prefix}.x_velocity`, Math.abs(toNumber(value) - simulation.velocity), bound)
    } else if (Object.hasOwn(TERMS, name)) {
      const slip = INFO_SLIPS[`${version} ${name}`]
      const ours = slip?.(simulation.terms, simulation.task) ?? simulation.terms[TERMS[name]]
      differences.add(`${prefix}.${name}`, Math.abs(toNumber(value) - ours), bound)
    } else if (COUPLED.test(name)) {
      compareCoupled(info, name, simulation, differences, prefix)
    } else if (FOLLOWS.includes(name)) {
      differences.skip(`info.${name}`, 'follows from the state, which is compared')
    } else differences.skip(`${prefix}.info.${name}`, 'not something that we know')
  }
}

/** Compares the mean of what both coupled cheetahs have; control costs are positive in their `info`. */
function compareCoupled(
  info: Readonly<Record<string, unknown>>,
  name: string,
  { velocity, terms }: TaskSimulation,
  differences: Differences,
  prefix: string,
): void {
  const both = name.slice(0, -1)
  const mean = (toNumber(info[`${both}1`]) + toNumber(info[`${both}2`])) / 2
  const ours = both === 'x_velocity' ? velocity : -terms.control
  differences.add(`${prefix}.${both}`, difference(mean, ours))
}

/** Compares a step whose solver was run until it converged. */
export function compareConverged(
  golden: Converged,
  simulation: TaskSimulation,
  differences: Differences,
  { prefix, version }: Omit<Manner, 'loose'>,
): void {
  const next = { qpos: golden.next_qpos, qvel: golden.next_qvel }
  differences.skipUnfamiliar(golden, CONVERGED_FIELDS, `${prefix}.`)
  const { reward, terminated, info } = golden
  const manner = { prefix, version, loose: false }
  compareOutcome({ reward, terminated, info }, next, simulation, differences, manner)
  if (golden.obs_cfrc_ext === undefined) return
  const { observation } = simulation.task
  const forces = observation.flatMap((element, i) => (element.array === 'cfrc_ext' ? [i] : []))
  compareElements(
    toNumbers(golden.obs_cfrc_ext),
    forces.map((i) => simulation.observation[i]),
    forces.map((i) => observation[i]),
    differences,
    { ...manner, prefix: `${prefix}.obs` },
  )
}
