import type { MjModel } from '@mujoco/mujoco'
import { HatrpoError } from '../../src/errors.js'
import { doublesOf, integersOf, type Mujoco } from '../../src/envs/mujoco/load.js'
import { SceneReader } from '../../src/envs/mujoco/scene.js'
import type { PhysicsModel } from '../../src/envs/mujoco/world.js'
import type { Scene } from '../../src/envs/scene.js'
import { lowestPoint } from '../../src/render/camera.js'

/** A state to draw a robot in. */
export interface Pose {
  /** By joint: radians, or metres of a slide. The others are as in the model. */
  readonly joints: Readonly<Record<string, number>>
  /** Of a robot with a free root: radians about x, then y, then z. */
  readonly turn?: readonly [roll: number, pitch: number, yaw: number]
  /** Metres between the ground and the robot's lowest point; undefined: the ground is where the model has it. */
  readonly lift?: number
}

/** MuJoCo's mjOBJ_JOINT and mjJNT_FREE. */
const JOINT = 3
const FREE = 0

/**
 * A model in a pose.
 * @param parts per agent: its actuators
 * @throws HatrpoError when the pose names a joint that the model lacks, or the model has a geom that cannot be drawn
 */
export function posedScene(physics: PhysicsModel, pose: Pose, parts: readonly (readonly number[])[]): Scene {
  const { mujoco, handle: model } = physics
  const { api } = mujoco
  const data = new api.MjData(model)
  api.mj_resetData(model, data)
  const qpos = doublesOf(data, 'qpos')
  for (const [name, value] of Object.entries(pose.joints)) qpos[jointAddress(mujoco, model, name)] = value
  if (pose.turn !== undefined) {
    const root = integersOf(model, 'jnt_type').indexOf(FREE)
    if (root < 0) throw new HatrpoError('turn: the model has no free joint')
    qpos.set(quaternion(pose.turn), integersOf(model, 'jnt_qposadr')[root] + 3)
  }
  api.mj_forward(model, data)
  const scene = new SceneReader(physics, parts).read(data)
  data.delete()
  return pose.lift === undefined ? scene : { ...scene, ground: lowestPoint(scene) - pose.lift }
}

function jointAddress(mujoco: Mujoco, model: MjModel, name: string): number {
  const joint = mujoco.api.mj_name2id(model, JOINT, name)
  if (joint < 0) throw new HatrpoError(`joint ${name}: the model has no such joint`)
  return integersOf(model, 'jnt_qposadr')[joint]
}

/** Turns about x, then y, then z of the world. */
function quaternion([roll, pitch, yaw]: readonly [number, number, number]): number[] {
  const [a, b, c] = [roll / 2, pitch / 2, yaw / 2].map(Math.cos)
  const [x, y, z] = [roll / 2, pitch / 2, yaw / 2].map(Math.sin)
  return [a * b * c + x * y * z, x * b * c - a * y * z, a * y * c + x * b * z, a * b * z - x * y * c]
}
