import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { EnvContext, makeEnvFactory } from '../../src/envs/index.js'
import { doublesOf, loadMujoco } from '../../src/envs/mujoco/load.js'
import { taskModel, type TaskVersion } from '../../src/envs/mamujoco/task.js'
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
  ['ManySegmentSwimmer', 'v2', 'model-many_segment_swimmer_20.json', 20],
  ['ManySegmentAnt', 'v2', 'model-many_segment_ant_6.json', 6],
  ['Reacher', 'v5', 'model-reacher.json'],
  ['Reacher', 'v4', 'model-reacher.json'],
  ['Pusher', 'v4', 'model-pusher.json'],
  ['Pusher', 'v5', 'model-pusher_v5.json'],
]

/** Fields that hold contact margins: MuJoCo 3 adds the margins of two geoms, the published engine took the larger. */
const MARGINS = ['geom_margin', 'body_margin']

/** Pusher's cylinder meets the hand as the published engine finds it: one contact for a pair of geoms, by its algorithm. */
const CONVEX = { 'opt.disableflags': (1 << 17) | (1 << 19), 'opt.ccd_iterations': 50 }

const mujoco = await loadMujoco()

for (const [name, version, golden, segments] of MODELS) {
  test(`${name} ${version} compiles to the published model, with half its contact margins`, () => {
    const { fields } = JSON.parse(readFileSync(goldenPath(golden), 'utf8')) as {
      fields: Record<string, number | number[]>
    }
    for (const field of MARGINS) fields[field] = (fields[field] as number[]).map((margin) => margin / 2)
    // The runs published before Gymnasium-Robotics had shorter frames.
    if (name.startsWith('ManySegment') && version === 'v2') fields['opt.timestep'] = 0.005
    if (name === 'Pusher') Object.assign(fields, CONVEX)
    const model = mujoco.api.MjModel.from_xml_string(findTask(name, version, segments)!.xml)
    // Writing JSON turns -0 into 0.
    const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    assert.deepEqual(written(modelFields(mujoco, model)), written(fields))
    model.delete()
  })
}

test('a step of the many-segment tasks has the duration of the original', () => {
  const seconds = (id: string, version: string) => makeEnvFactory({ id, version }).spec.stepSeconds
  for (const version of ['v4', 'v5']) {
    assert.equal(seconds('mamujoco/ManySegmentSwimmer-10x2', version), 0.04)
    assert.equal(seconds('mamujoco/ManySegmentAnt-2x3', version), 0.05)
  }
  for (const id of ['mamujoco/ManySegmentSwimmer-10x2', 'mamujoco/ManySegmentAnt-2x3']) {
    assert.equal(seconds(id, 'v2'), 0.02)
  }
})

for (const [version, object] of [
  ['v4', 24.999991818771807],
  ['v5', 24.995092225118107],
] as const) {
  test(`Pusher ${version}: slide joints have the weights in constraints of MuJoCo 2.2.2`, async () => {
    const model = await taskModel(new EnvContext(), findTask('Pusher', version)!)
    const goal = 24.99999974867259
    const near = (weights: Float64Array, expected: number[]) =>
      expected.forEach((x, i) => assert.ok(Math.abs(weights[i] - x) <= 1e-14 * x, `${weights[i]} ${x}`))
    near(doublesOf(model.handle, 'dof_invweight0').subarray(7), [object, object, goal, goal])
    // Of each body, along two axes of three and about none.
    const bodies = [object, goal].flatMap((weight) => [(2 * weight) / 3, 0])
    near(doublesOf(model.handle, 'body_invweight0').subarray(22), bodies)
  })
}
