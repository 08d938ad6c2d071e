// Rollouts with one and with two workers, one update, and where an iteration's time goes, measured in turn in one
// process so that the ratios hold when the machine's speed drifts.
//
//   node dist/bench/iteration.js [ENV] [ALGO]        (default: mamujoco/HalfCheetah-2x3 hatrpo, preset harl)

import { makeEnvFactory } from '../src/envs/index.js'
import { RolloutPool, type EnvProgress, type Rollout } from '../src/rollout/index.js'
import { completeEnv, resolveConfig } from '../src/config/index.js'
import { Trainer } from '../src/training/trainer.js'
import { result } from './report.js'

const ROUNDS = 7

function line(name: string, unit: string, values: readonly number[]): void {
  const { min, median, max } = result(name, unit, values)
  const show = (value: number) => value.toFixed(value < 10 ? 3 : 0).padStart(8)
  console.log(`${name.padEnd(34)} ${show(median)} ${unit}  (${show(min)} to ${show(max)})`)
}

const [id = 'mamujoco/HalfCheetah-2x3', algo = 'hatrpo'] = process.argv.slice(2)
const { config } = resolveConfig({ preset: 'harl', set: [`env.id=${id}`, `algo=${algo}`] })
const full = await completeEnv(config)
const trainer = await Trainer.create(full, makeEnvFactory(full.env).spec)
const start: EnvProgress[] = Array.from({ length: full.envs }, () => ({
  state: null,
  episode: 0,
  episodeReturn: 0,
  episodeSteps: 0,
}))

const teams = await Promise.all(
  [1, 2].map(async (workers) => {
    const { envs, seed, env } = full
    const pool = await RolloutPool.start(trainer.device, trainer.storage, { workers, envs, seed, env })
    const policies = trainer.workerPolicies(pool.shares.map(({ count }) => count))
    return {
      workers,
      pool,
      policies,
      walls: [] as number[],
      updates: [] as number[],
      rollouts: [] as Rollout[],
    }
  }),
)

const rows = trainer.storage.rows
for (let round = 0; round <= ROUNDS; round++) {
  for (const team of teams) {
    team.policies.prepare()
    const rollout = await team.pool.collect(team.policies, start, 0)
    const begun = performance.now()
    await team.pool.assist(() => trainer.improve(round + 1, 0))
    const update = performance.now() - begun
    // The first round warms up: modules are compiled, environments made.
    if (round === 0) continue
    team.rollouts.push(rollout)
    team.walls.push(rollout.time.wall)
    team.updates.push(update)
  }
}

console.log(`${full.algo} on ${full.env.id}, batch ${rows}, medians of ${ROUNDS} rounds (min to max)`)
for (const { workers, walls, updates, rollouts } of teams) {
  const name = (what: string) => `${what}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`
  line(
    name('rollout'),
    'steps/s',
    walls.map((wall) => (1000 * rows) / wall),
  )
  line(name('update of all agents and critic'), 'ms', updates)
  line(
    name('iteration'),
    'steps/s',
    walls.map((wall, i) => (1000 * rows) / (wall + updates[i])),
  )
  const share = (pick: (rollout: Rollout) => number) =>
    rollouts.map((rollout, i) => (100 * pick(rollout) * walls[i]) / (walls[i] + updates[i]))
  line(
    '  physics',
    '%',
    share(({ time }) => time.physics),
  )
  line(
    '  policy',
    '%',
    share(({ time }) => time.policy),
  )
  line(
    '  learner',
    '%',
    updates.map((update, i) => (100 * update) / (walls[i] + update)),
  )
  line(
    '  rest',
    '%',
    share(({ time }) => 1 - time.physics - time.policy),
  )
}
const ratio = (pick: 'walls' | 'updates') => teams[0][pick].map((value, i) => value / teams[1][pick][i])
line('rollout, two workers against one', 'x', ratio('walls'))
line('update, two threads against one', 'x', ratio('updates'))
await Promise.all(teams.map(({ pool }) => pool.close()))
