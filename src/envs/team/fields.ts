/** Readable fields of a world: MuJoCo's own names of the fields of mjData, and `sensor` for `sensordata`. */
export type Field =
  | 'qpos'
  | 'qvel'
  | 'qacc'
  | 'qfrc_actuator'
  | 'sensor'
  | 'xpos'
  | 'xquat'
  | 'xmat'
  | 'xipos'
  | 'cvel'
  | 'subtree_com'
  | 'geom_xpos'
  | 'geom_xmat'
  | 'site_xpos'
  | 'site_xmat'
  | 'ten_length'
  | 'ten_velocity'
  | 'ctrl'
  | 'act'
  | 'actuator_length'
  | 'actuator_velocity'
  | 'actuator_force'
  | 'mocap_pos'
  | 'mocap_quat'

/** Fields of the state, which `start` may write. */
export type StateField = Extract<Field, 'qpos' | 'qvel' | 'act' | 'ctrl' | 'mocap_pos' | 'mocap_quat'>

/**
 * Name of numbers of a world: `qpos:hip` is the field `qpos` of the joint `hip`, `sensor:gyro` the value of the sensor
 * `gyro`, `xpos:torso` the position of the body `torso`. `sensor` alone reads all sensors. `xpos:torso[2]` is one
 * number, `qpos:root[3:7]` a range without its end. An element without a name has its number: `site_xpos:#0`.
 */
export type Reading = Field | `${Field}:${string}`
