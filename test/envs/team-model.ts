import { writeFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../runs/fixtures.js'

/** A tetrahedron with edges of 0.2 along the axes: volume 0.2^3 / 6. */
export const TETRAHEDRON = `v 0 0 0
v 0.2 0 0
v 0 0.2 0
v 0 0 0.2
f 1 3 2
f 1 2 4
f 1 4 3
f 2 3 4
`

/**
 * A crawler of a free base and two legs of two joints, and an object that nothing drives. The actuators: a named motor
 * with a range, an unnamed position servo with one that is not symmetric, an unnamed motor without, one on a tendon.
 */
export const CRAWLER: Readonly<Record<string, string>> = {
  'robot.xml': `<mujoco model="crawler">
  <compiler angle="radian" meshdir="assets/meshes"/>
  <option timestep="0.01"/>
  <size memory="1M"/>
  <default><joint armature="0.01" damping="0.1"/></default>
  <asset><mesh name="hull" file="hull.obj"/></asset>
  <include file="parts/legs.xml"/>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="ball" pos="1 0 0.1"><freejoint name="ball"/><geom type="sphere" size="0.1"/></body>
    <body name="target" mocap="true" pos="2 0 0"/>
  </worldbody>
  <tendon><fixed name="cable"><joint joint="knee_back" coef="2"/></fixed></tendon>
  <actuator>
    <motor name="front" joint="hip_front" ctrlrange="-2 2" gear="3"/>
    <position joint="knee_front" ctrlrange="-0.5 1.5" kp="5"/>
    <motor joint="hip_back"/>
    <general name="pull" tendon="cable" dyntype="filter" dynprm="0.1" ctrlrange="-1 1"/>
  </actuator>
  <sensor>
    <velocimeter name="velocity" site="imu"/>
    <accelerometer name="acceleration" site="imu"/>
    <touch name="touch" site="imu"/>
    <jointpos name="knee" joint="knee_front"/>
  </sensor>
  <keyframe>
    <key name="low" qpos="0 0 0.3 1 0 0 0  0.1 0.2 0.3 0.4  1 0 0.1 1 0 0 0"/>
    <key name="high" qpos="0 0 2 1 0 0 0  0 0 0 0  1 0 0.1 1 0 0 0" qvel="0 0 -1 0 0 0  0 0 0 0  0 0 0 0 0 0"/>
  </keyframe>
</mujoco>`,
  'parts/legs.xml': `<mujocoinclude><worldbody><body name="hull" pos="0 0 0.5">
  <freejoint name="root"/><geom name="hull" type="mesh" mesh="hull" density="500"/><site name="imu" size="0.2"/>
  ${['front', 'back']
    .map(
      (leg, i) => `<body name="thigh_${leg}" pos="${0.2 - 0.4 * i} 0 0">
    <joint name="hip_${leg}" axis="0 1 0"/><geom type="capsule" size="0.02" fromto="0 0 0 0 0 -0.2"/>
    <body name="shin_${leg}" pos="0 0 -0.2">
      <joint name="knee_${leg}" axis="0 1 0"/><geom name="foot_${leg}" type="capsule" size="0.02" fromto="0 0 0 0 0 -0.2"/>
    </body></body>`,
    )
    .join('\n')}
</body></worldbody></mujocoinclude>`,
  'assets/meshes/hull.obj': TETRAHEDRON,
}

/** Writes files into a folder of the test's own. @returns the folder */
export function writeFiles(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryDirectory(t)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}
