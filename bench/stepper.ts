// Time of an environment step against the bare mj_step calls inside it: same MuJoCo, same states, one run.
// node dist/bench/stepper.js
import { EnvContext, makeEnvFactory, type MultiAgentEnv } from '../src/envs/index.js'
import { addressOf } from '../src/envs/mujoco/load.js'
import { World, type PhysicsModel } from '../src/envs/mujoco/world.js'
import { findTask } from '../src/envs/mamujoco/tasks.js'

const ROUNDS = 30
/** Episodes of a round, each by both sides in turn; short, so that no robot falls. */
const EPISODES = 40
const STEPS = 10
const ACTION = 0.3
/** Numbers before MuJoCo's own in a saved state. */
const HEADER = 4

type MjStep = (model: number, data: number) => void

/** Microseconds a step, over one round, of both sides. */
function round(env: MultiAgentEnv, world: World, frames: number): { bare: number; ours: number } {
  const { handle, mujoco, nu } = world.model
  const mjStep = mujoco.table.get(mujoco.functionIndex('mj_step')) as MjStep
  const [model, data] = [addressOf(handle), addressOf(world.handle)]
  const total = { bare: 0, ours: 0 }
  for (let seed = 0; seed < EPISODES; seed++) {
    env.reset(seed)
    world.load(new Float64Array(env.saveState!().buffer).subarray(HEADER))
    world.doubles().fill(Math.fround(ACTION), world.ctrl, world.ctrl + nu)
    for (const action of env.actions) action.fill(ACTION)
    const runBare = () => {
      for (let frame = 0; frame < STEPS * frames; frame++) mjStep(model, data)
    }
    const runOurs = () => {
      for (let step = 0; step < STEPS; step++) env.step()
    }
    // Taking turns at going first: whatever the first leaves in the caches helps both alike.
    if (seed % 2 === 0) {
      total.bare += time(runBare)
      total.ours += time(runOurs)
    } else {
      total.ours += time(runOurs)
      total.bare += time(runBare)
    }
  }
  const scale = 1000 / (EPISODES * STEPS)
  return { bare: total.bare * scale, ours: total.ours * scale }
}

function time(run: () => void): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

function quantiles(values: number[]): { min: number; median: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  return { min: sorted[0], median: sorted[Math.floor(sorted.length / 2)], max: sorted.at(-1)! }
}

function print(id: string, name: string, unit: string, values: number[]): void {
  const { min, median, max } = quantiles(values)
  const columns = [min, median, max].map((x) => x.toFixed(2).padStart(8)).join(' ')
  console.log(`${id.padEnd(26)} ${name.padEnd(12)} ${unit.padEnd(8)} ${columns}`)
}

async function measure(id: string, context: EnvContext): Promise<void> {
  const task = findTask(id.split('/')[1].split('-')[0], 'v4')!
  const model: PhysicsModel = await context.model(task.xml)
  const env = await makeEnvFactory({ id }).create(context)
  const world = new World(model, 'bare')
  round(env, world, task.frames)
  const rounds = Array.from({ length: ROUNDS }, () => round(env, world, task.frames))
  const bare = rounds.map((times) => times.bare)
  const ours = rounds.map((times) => times.ours)
  print(id, 'bare mj_step', 'us/step', bare)
  print(id, 'env.step()', 'us/step', ours)
  // On a busy machine the quickest rounds are the ones that nothing else disturbed.
  console.log(
    `${id.padEnd(26)} env.step() takes ${(Math.min(...ours) / Math.min(...bare)).toFixed(4)} of bare mj_step (quickest rounds), ` +
      `${(quantiles(ours).median / quantiles(bare).median).toFixed(4)} (medians)`,
  )
}

console.log(`${''.padEnd(48)} ${['min', 'median', 'max'].map((name) => name.padStart(8)).join(' ')}`)
const context = new EnvContext()
for (const id of ['mamujoco/HalfCheetah-2x3', 'mamujoco/Hopper-3x1', 'mamujoco/Walker2d-2x3']) {
  await measure(id, context)
}
