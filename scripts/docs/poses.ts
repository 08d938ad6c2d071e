import type { View } from '../../src/envs/scene.js'
import type { Pose } from './pose.js'

const side: View = { azimuth: 65, elevation: 14 }

/** Pose and view of each task's robot. */
export const POSES: Readonly<Record<string, Pose & { readonly view: View }>> = {
  HalfCheetah: {
    joints: { rooty: -0.12, bthigh: 0.55, bshin: -0.5, bfoot: 0.35, fthigh: -0.75, fshin: -0.55, ffoot: 0.3 },
    lift: 0.01,
    view: side,
  },
  CoupledHalfCheetah: {
    joints: {
      rooty0: -0.12,
      bthigh0: 0.55,
      bshin0: -0.5,
      bfoot0: 0.35,
      fthigh0: -0.75,
      fshin0: -0.55,
      ffoot0: 0.3,
      rootx1: 0.25,
      rootz1: -0.14,
      rooty1: 0.1,
      bthigh1: -0.35,
      bshin1: 0.45,
      bfoot1: -0.2,
      fthigh1: 0.35,
      fshin1: 0.3,
      ffoot1: -0.2,
    },
    lift: 0.01,
    view: { azimuth: 62, elevation: 24 },
  },
  Hopper: {
    joints: { rooty: -0.18, thigh_joint: -0.1, leg_joint: -0.75, foot_joint: 0.4 },
    lift: 0.12,
    view: side,
  },
  Walker2d: {
    joints: {
      rooty: -0.15,
      leg_joint: -0.15,
      foot_joint: 0.1,
      thigh_left_joint: -0.6,
      leg_left_joint: -0.75,
      foot_left_joint: 0.25,
    },
    lift: 0,
    view: side,
  },
  Ant: {
    joints: {
      hip_1: 0.35,
      ankle_1: 0.75,
      hip_2: -0.3,
      ankle_2: -1,
      hip_3: 0.3,
      ankle_3: -0.75,
      hip_4: -0.35,
      ankle_4: 1,
    },
    turn: [0.05, -0.05, 0.15],
    lift: 0,
    view: { azimuth: 94, elevation: 30 },
  },
  ManySegmentAnt: {
    joints: Object.fromEntries(
      Array.from({ length: 6 }, (_, s): [string, number][] => [
        [`hip1_${s}`, 0.4 * Math.cos(2 * s)],
        [`hip2_${s}`, 0.4 * Math.sin(2 * s)],
        [`ankle1_${s}`, s === 0 ? 0.85 : -0.85],
        [`ankle2_${s}`, s === 0 ? 0.85 : -0.85],
      ]).flat(),
    ),
    lift: 0,
    view: { azimuth: 55, elevation: 26 },
  },
  Humanoid: {
    joints: {
      abdomen_y: -0.1,
      abdomen_z: 0.2,
      right_hip_y: -0.9,
      right_knee: -0.9,
      left_hip_y: 0.25,
      left_knee: -0.5,
      right_shoulder1: 0.5,
      right_shoulder2: -0.3,
      right_elbow: -0.7,
      left_shoulder1: 0.3,
      left_shoulder2: 0.6,
      left_elbow: -0.9,
    },
    turn: [0, 0.1, 0],
    lift: 0,
    view: { azimuth: 130, elevation: 12, margin: 0.06 },
  },
  HumanoidStandup: {
    joints: { left_hip_y: -1.2, left_knee: -1.5, right_hip_y: -0.6, right_knee: -0.9 },
    lift: 0,
    view: { azimuth: 60, elevation: 24 },
  },
  Swimmer: {
    joints: { motor1_rot: -0.8, motor2_rot: 0.9, free_body_rot: 0.3 },
    view: { azimuth: 75, elevation: 35 },
  },
  ManySegmentSwimmer: {
    joints: Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => {
        const axis = i === 0 || i === 19 || i % 2 === 1 ? 1 : -1
        return [`rot${i}`, 0.62 * axis * Math.cos((2 * Math.PI * (i + 1.5)) / 10)]
      }),
    ),
    view: { azimuth: 80, elevation: 42, margin: 0.06 },
  },
  Reacher: {
    joints: { joint0: 0.6, joint1: 1.1, target_x: 0.05, target_y: 0.16 },
    view: { azimuth: 75, elevation: 50, margin: 0.24 },
  },
  Pusher: {
    joints: {
      r_shoulder_pan_joint: 0.3,
      r_shoulder_lift_joint: 0.45,
      r_upper_arm_roll_joint: -0.4,
      r_elbow_flex_joint: -0.9,
      r_forearm_roll_joint: 0.2,
      r_wrist_flex_joint: -0.6,
      obj_slidex: 0.25,
      obj_slidey: 0.1,
      goal_slidex: -0.1,
      goal_slidey: 0.35,
    },
    view: { azimuth: 140, elevation: 34 },
  },
}
