import { doublesOf, integersOf } from '../../envs/mujoco/load.js'
import type { PhysicsModel } from '../../envs/mujoco/world.js'
import { modelFlags } from '../../envs/mujoco/flags.js'
import type { Task } from '../../envs/mamujoco/tasks.js'

const INTEGRATORS = ['Euler', 'RK4', 'implicit', 'implicitfast']
const SOLVERS = ['PGS', 'CG', 'Newton']
const JOINT_TYPES = ['free', 'ball', 'slide', 'hinge']
/** mjtObj numbers. */
const BODY = 1
const JOINT = 3

/** Our compiled model and our task, in the words of a golden file's `spaces` block. */
export function describeSpaces(task: Task, model: PhysicsModel): Record<string, unknown> {
  const { handle, nq, nv, nu } = model
  const flags = modelFlags(model.mujoco, handle)
  const name = (kind: number, id: number) => model.mujoco.api.mj_id2name(handle, kind, id)
  const range = (all: Float64Array, i: number) => [all[2 * i], all[2 * i + 1]]
  const indices = (n: number) => Array.from({ length: n }, (_, i) => i)
  const ctrlrange = indices(nu).map((i) => range(doublesOf(handle, 'actuator_ctrlrange'), i))
  return {
    id: `${task.name}-${task.version}`,
    obs_dim: nq - 1 + nv,
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
    observation_structure: { skipped_qpos: 1, qpos: nq - 1, qvel: nv },
    parameters: parameters(task),
    reset: {
      qpos: 'init_qpos + U(-s, s) per element (also on quaternion elements; not normalised)',
      qvel: `init_qvel + ${task.resetNoise.velocity === 'normal' ? 's * N(0, 1)' : 'U(-s, s)'}`,
      s: task.resetNoise.scale,
    },
    max_episode_steps: task.timeLimit,
  }
}

function parameters(task: Task): Record<string, unknown> {
  const { healthy } = task
  return {
    forward_reward_weight: task.forwardWeight,
    ctrl_cost_weight: task.controlCost,
    reset_noise_scale: task.resetNoise.scale,
    exclude_current_positions_from_observation: true,
    ...(healthy === undefined
      ? {}
      : {
          healthy_reward: task.healthyReward,
          terminate_when_unhealthy: true,
          healthy_z_range: healthy.z,
          healthy_angle_range: healthy.angle,
          ...(healthy.state === undefined ? {} : { healthy_state_range: healthy.state }),
        }),
  }
}
