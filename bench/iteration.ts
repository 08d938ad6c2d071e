// Rollouts with one and with two workers, one update, and where an iteration's time goes, measured in turn in one
// process so that the ratios hold when the machine's speed drifts.
//
//   node dist/bench/iteration.js [ENV] [ALGO]        (default: mamujoco/HalfCheetah-2x3 hatrpo, preset harl)

import { makeEnvFactory } from '../src/envs/index.js'
import { freshProgress, openSource, type Rollout } from '../src/rollout/index.js'
import { completeEnv, resolveConfig } from '../src/config/index.js'
import { TeamLearner } from '../src/training/learner.js'
import { result } from '../src/bench/report.js'

const ROUNDS = 7

function line(name: string, unit: string, values: readonly number[]): void {
  const { min, median, max } = result(name, unit, values)
  const show = (value: number) => value.toFixed(value < 10 ? 3 : 0).padStart(8)
  console.log(`${name.padEnd(34)} ${show(median)} ${unit}  (${show(min)} to ${show(max)})`)
}

const [id = 'mamujoco/HalfCheetah-2x3', algo = 'hatrpo'] = process.argv.slice(2)
const { config } = resolveConfig({ preset: 'harl', set: [`env.id=${id}`, `algo=${algo}`] })
const full = await completeEnv(config)
const learner = await TeamLearner.create(full, makeEnvFactory(full.env).spec)
const start = freshProgress(full.envs)

const teams = await Promise.all(
  [1, 2].map(async (workers) => {
    const { envs, seed, env } = full
    const { oneReward } = learner.plan.parts.critic
    const options = { workers, envs, seed, env, oneReward }
    const source = await openSource(learner.host, learner.storage, options)
    const policies = learner.workerPolicies(source.shares.map(({ count }) => count))
    return {
      workers,
      source,
      policies,
      walls: [] as number[],
      updates: [] as number[],
      rollouts: [] as Rollout[],
    }
  }),
)

const rows = learner.storage.rows
for (let round = 0; round <= ROUNDS; round++) {
  for (const team of teams) {
    team.policies.prepare()
    const rollout = await team.source.collect(team.policies, start, 0)
    const begun = performance.now()
    await team.source.assist(() => learner.method.improve(round + 1, 0))
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
await Promise.all(teams.map(({ source }) => source.close()))
