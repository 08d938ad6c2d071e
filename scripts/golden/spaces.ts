import { doublesOf, integersOf } from '../../src/envs/mujoco/load.js'
import type { PhysicsModel } from '../../src/envs/mujoco/world.js'
import { modelFlags } from '../../src/envs/mujoco/flags.js'
import type { Task } from '../../src/envs/mamujoco/task.js'

const INTEGRATORS = ['Euler', 'RK4', 'implicit', 'implicitfast']
const SOLVERS = ['PGS', 'CG', 'Newton']
const JOINT_TYPES = ['free', 'ball', 'slide', 'hinge']
/** mjtObj numbers. */
const BODY = 1
const JOINT = 3

/** Our compiled model and our task, in the words of a golden file's `spaces` block. */
export function describeSpaces(
  task: Task,
  model: PhysicsModel,
  goldenVersion: string,
): Record<string, unknown> {
  const { handle, nq, nv, nu } = model
  const flags = modelFlags(model.mujoco, handle)
  // The API returns some other text for an element without a name, so a name is only valid if it refers back to its
  // element.
  const name = (kind: number, id: number) => {
    const given = model.mujoco.api.mj_id2name(handle, kind, id)
    return model.mujoco.api.mj_name2id(handle, kind, given) === id ? given : ''
  }
  const range = (all: Float64Array, i: number) => [all[2 * i], all[2 * i + 1]]
  const indices = (n: number) => Array.from({ length: n }, (_, i) => i)
  const ctrlrange = indices(nu).map((i) => range(doublesOf(handle, 'actuator_ctrlrange'), i))
  return {
    id: `${task.name}-${goldenVersion}`,
    obs_dim: task.observation.length,
    action_dim: nu,
    action_low_float32: ctrlrange.map(([low]) => Math.fround(low)),
    action_high_float32: ctrlrange.map(([, high]) => Math.fround(high)),
    ctrlrange,
    ctrllimited: flags['actuator_ctrllimited'],
    frame_skip: task.frames,
    timestep: handle.opt.timestep,
    dt: task.frames * task.timestep,
    integrator: INTEGRATORS[handle.opt.integrator],
    solver: SOLVERS[handle.opt.solver],
    iterations: handle.opt.iterations,
    tolerance: handle.opt.tolerance,
    nq,
    nv,
    nu,
    nbody: handle.nbody,
    ntendon: handle.ntendon,
    init_qpos: task.initialPositions,
    init_qvel: indices(nv).map(() => 0),
    body_mass: Array.from(doublesOf(handle, 'body_mass')),
    body_names: indices(handle.nbody).map((i) => name(BODY, i)),
    joints: indices(handle.njnt).map((i) => ({
      name: name(JOINT, i),
      type: JOINT_TYPES[integersOf(handle, 'jnt_type')[i]],
      qpos: integersOf(handle, 'jnt_qposadr')[i],
      qvel: integersOf(handle, 'jnt_dofadr')[i],
      limited: flags['jnt_limited'][i] === 1,
      range: range(doublesOf(handle, 'jnt_range'), i),
    })),
    actuator_joints: indices(nu).map((i) => name(JOINT, integersOf(handle, 'actuator_trnid')[2 * i])),
    actuator_gear: indices(nu).map((i) => doublesOf(handle, 'actuator_gear')[6 * i]),
    observation_structure: structure(task),
    parameters: parameters(task),
    reset: reset(task),
    max_episode_steps: task.timeLimit,
  }
}

/** The rules by which most tasks start, in the files' words. */
const RESET_QPOS = 'init_qpos + U(-s, s) per element (also on quaternion elements; not normalised)'
const RESET_QVEL = { normal: 'init_qvel + s * N(0, 1)', uniform: 'init_qvel + U(-s, s)' }

/** The words that we know for how a task starts: others say what no golden number can be held against. */
export const RESET_WORDS: readonly unknown[] = [RESET_QPOS, ...Object.values(RESET_QVEL)]

/** Empty for tasks with a special initial state. */
function reset({ resetNoise: { velocity, scale }, place }: Task): Record<string, unknown> {
  return place === undefined ? { qpos: RESET_QPOS, qvel: RESET_QVEL[velocity], s: scale } : {}
}

/** Observed numbers of each array. */
function structure({ observation, skippedPositions, name }: Task): Record<string, number> {
  const count: Record<string, number> = { skipped_qpos: skippedPositions }
  for (const { array } of observation) count[array] = (count[array] ?? 0) + 1
  // Gymnasium's humanoids say that tendons are not observed; its other tasks do not mention them.
  return name.startsWith('Humanoid') ? { ...count, ten_length: 0, ten_velocity: 0 } : count
}

/** Gymnasium's names for what makes up the reward and the end of an episode, as each of its versions has them. */
function parameters(task: Task): Record<string, unknown> {
  if (task.name === 'HumanoidStandup') return standupParameters(task)
  if (task.distanceCosts !== undefined) return armParameters(task)
  const { healthy, contactCost, version } = task
  const v5 = version === 'v5'
  const isAnt = task.name === 'Ant' || task.name === 'ManySegmentAnt'
  return {
    ...(isAnt && !v5 ? {} : { forward_reward_weight: task.progress?.weight }),
    ctrl_cost_weight: task.name === 'CoupledHalfCheetah' ? 2 * task.controlCost : task.controlCost,
    reset_noise_scale: task.resetNoise.scale,
    ...(task.name === 'CoupledHalfCheetah' ? {} : { exclude_current_positions_from_observation: true }),
    ...(healthy === undefined
      ? {}
      : {
          healthy_reward: task.healthyReward,
          terminate_when_unhealthy: true,
          healthy_z_range: healthy.z,
          ...(healthy.angle === undefined ? {} : { healthy_angle_range: healthy.angle }),
          ...(healthy.state === undefined ? {} : { healthy_state_range: healthy.state }),
        }),
    ...(isAnt ? { contact_cost_weight: 5e-4, contact_force_range: [-1, 1] } : {}),
    ...(isAnt && v5 ? { main_body: 1, include_cfrc_ext_in_observation: true } : {}),
    ...(isAnt && !v5 ? { use_contact_forces: contactCost !== undefined } : {}),
    ...(task.name === 'Humanoid' && v5
      ? { contact_cost_weight: contactCost!.weight, contact_cost_range: [-Infinity, contactCost!.largest] }
      : {}),
    ...(task.name === 'Humanoid' && v5 ? INCLUDED : {}),
  }
}

/** Of Reacher and Pusher. */
function armParameters({ controlCost, distanceCosts }: Task): Record<string, unknown> {
  const names = { near: 'reward_near_weight', distance: 'reward_dist_weight' }
  const weights = distanceCosts!.map(({ name, weight }) => ({ [names[name]]: weight }))
  return Object.assign({ reward_control_weight: controlCost }, ...weights) as Record<string, unknown>
}

/** Observations of version 5 of the humanoids beside the state. */
const INCLUDED = {
  include_cinert_in_observation: true,
  include_cvel_in_observation: true,
  include_qfrc_actuator_in_observation: true,
  include_cfrc_ext_in_observation: true,
}

function standupParameters({
  version,
  progress,
  controlCost,
  contactCost,
  resetNoise,
}: Task): Record<string, unknown> {
  if (version !== 'v5') return {}
  return {
    uph_cost_weight: progress!.weight,
    ctrl_cost_weight: controlCost,
    impact_cost_weight: contactCost!.weight,
    impact_cost_range: [-Infinity, contactCost!.largest],
    reset_noise_scale: resetNoise.scale,
    exclude_current_positions_from_observation: true,
    ...INCLUDED,
  }
}
