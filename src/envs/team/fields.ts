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

/** Fields that decide the state, which a start may write. */
export type StateField = Extract<Field, 'qpos' | 'qvel' | 'act' | 'ctrl' | 'mocap_pos' | 'mocap_quat'>

/**
 * Numbers of a world, by name: `qpos:hip` is the field `qpos` of the joint `hip`, `sensor:gyro` what the sensor `gyro`
 * measures, `xpos:torso` where the body `torso` is; `sensor` alone is all sensors. `xpos:torso[2]` is one of the numbers,
 * `qpos:root[3:7]` some, from the first up to the second. An element without a name goes by its number: `site_xpos:#0`.
 */
export type Reading = Field | `${Field}:${string}`
