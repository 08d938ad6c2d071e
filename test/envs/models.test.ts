import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { loadMujoco } from '../../src/envs/mujoco/load.js'
import type { TaskVersion } from '../../src/envs/mamujoco/task.js'
import { findTask } from '../../src/envs/mamujoco/tasks.js'
import { modelFields } from './model-fields.js'
import { goldenPath } from './paths.js'

const MODELS: [task: string, version: TaskVersion, golden: string, segments?: number][] = [
  ['HalfCheetah', 'v4', 'model-half_cheetah.json'],
  ['Hopper', 'v4', 'model-hopper.json'],
  ['Walker2d', 'v4', 'model-walker2d.json'],
  ['Walker2d', 'v5', 'model-walker2d_v5.json'],
  ['Ant', 'v4', 'model-ant.json'],
  ['Humanoid', 'v4', 'model-humanoid.json'],
  ['HumanoidStandup', 'v4', 'model-humanoidstandup.json'],
  ['Swimmer', 'v4', 'model-swimmer.json'],
  ['CoupledHalfCheetah', 'v4', 'model-coupled_half_cheetah.json'],
  ['ManySegmentSwimmer', 'v4', 'model-many_segment_swimmer_20.json', 20],
  ['ManySegmentAnt', 'v4', 'model-many_segment_ant_6.json', 6],
  ['Reacher', 'v5', 'model-reacher.json'],
  ['Pusher', 'v5', 'model-pusher_v5.json'],
]

/** Fields that hold contact margins: MuJoCo 3 adds the margins of two geoms, the published engine took the larger. */
const MARGINS = ['geom_margin', 'body_margin']

const mujoco = await loadMujoco()

for (const [name, version, golden, segments] of MODELS) {
  test(`${name} ${version} compiles to the published model, with half its contact margins`, () => {
    const { fields } = JSON.parse(readFileSync(goldenPath(golden), 'utf8')) as {
      fields: Record<string, number | number[]>
    }
    for (const field of MARGINS) fields[field] = (fields[field] as number[]).map((margin) => margin / 2)
    const model = mujoco.api.MjModel.from_xml_string(findTask(name, version, segments)!.xml)
    // Writing JSON turns -0 into 0.
    const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    assert.deepEqual(written(modelFields(mujoco, model)), written(fields))
    model.delete()
  })
}
