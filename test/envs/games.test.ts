import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import {
  checkEnv,
  EnvContext,
  listEnvs,
  loadEnvFactory,
  makeEnvFactory,
  RUNNING,
  TERMINATED,
  type MultiAgentEnv,
} from '../../src/envs/index.js'
import { RandomStream } from '../../src/envs/random.js'
import { temporaryDirectory } from '../runs/fixtures.js'

const context = new EnvContext()
const make = (id: string, options: Record<string, string | number> = {}) =>
  makeEnvFactory({ id, ...options }).create(context)

/** Plays one step from a new start. @returns the rewards */
function once(env: MultiAgentEnv, ...actions: readonly number[]): number[] {
  env.reset(1)
  actions.forEach((action, i) => (env.actions[i][0] = action))
  assert.equal(env.step(), TERMINATED)
  return [...env.rewards]
}

for (const { id } of listEnvs().filter(({ id }) => id.startsWith('games/'))) {
  test(`${id}: check-env finds nothing`, async () => {
    const { findings } = await checkEnv(makeEnvFactory({ id }), { context, allocation: false })
    assert.deepEqual(findings, [])
  })
}

test('Proposition 1: two of the 2^n joint actions are rewarded', async () => {
  for (const agents of [2, 4, 6]) {
    const env = await make('games/proposition-1', { agents })
    const paid: number[][] = []
    for (let joint = 0; joint < 1 << agents; joint++) {
      const actions = Array.from({ length: agents }, (_, i) => (joint >> i) & 1)
      const rewards = once(env, ...actions)
      assert.equal(new Set(rewards).size, 1)
      if (rewards[0] === 1) paid.push(actions)
      else assert.equal(rewards[0], 0)
    }
    const half = (first: number) =>
      Array.from({ length: agents }, (_, i) => (2 * i < agents ? first : 1 - first))
    assert.deepEqual(paid, [half(1), half(0)])
  }
  assert.throws(
    () => makeEnvFactory({ id: 'games/proposition-1', agents: 3 }),
    /^HatrpoError: env\.agents=3: must be even$/,
  )
})

test('Figure 1: the reward is the product of the resulting points', async () => {
  const env = await make('games/figure-1')
  assert.deepEqual(once(env, 0, 0), [-0.0625, -0.0625])
  assert.deepEqual(once(env, 1.25, -2.25), [-2, -2])
  const from = await make('games/figure-1', { start: '0, 3' })
  assert.deepEqual(once(from, 2, 1), [8, 8])
  assert.deepEqual(once(env, 30.25, 1.75), [60, 60])
  assert.throws(() => makeEnvFactory({ id: 'games/figure-1', start: 1 }), {
    message: 'env.start=1: must be 2 numbers with commas, such as -0.25,0.25',
  })
})

test('two peaks: the reward is that of the formula, with points limited to the field', async () => {
  const env = await make('games/two-peaks', { start: '0,0' })
  const normal = (z: number, sd: number) => Math.exp(-0.5 * (z / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI))
  const height = (x: number, y: number) =>
    10 * normal(x - 5, 1) * normal(y - 5, 3) + 0.1 * x + 5.3 * normal(x - 1, 1) * normal(y - 1, 1)
  for (const [x, y] of [
    [1, 1],
    [5, 5],
    [1.5, 1.5],
    [3, 2],
    [0, 7],
    [5.19, 5],
  ]) {
    const [reward] = once(env, x, y)
    assert.ok(Math.abs(reward - height(Math.fround(x), Math.fround(y))) < 1e-7)
  }
  assert.deepEqual(once(env, -3, 9), once(env, 0, 7))
  assert.ok(height(5.19, 5) > height(1.12, 1))
})

/** Plays a battle. @param choose picks from the available actions of an agent */
function battle(
  env: MultiAgentEnv,
  seed: number,
  choose: (available: readonly number[], agent: number) => number,
  look: () => void = () => {},
): number {
  env.reset(seed)
  let total = 0
  for (;;) {
    env.actions.forEach((action, i) => {
      const mask = env.availableActions![i]
      action[0] = choose(
        Array.from(mask.keys()).filter((k) => mask[k] === 1),
        i,
      )
    })
    const status = env.step()
    total += env.rewards[0]
    look()
    if (status !== RUNNING) return total
  }
}

test('skirmish: attacking wins, random play loses, and dead agents are inactive', async () => {
  const env = await make('games/skirmish')
  const random = new RandomStream(3, 1)
  const any = (available: readonly number[]) => available[Math.floor(random.uniform() * available.length)]
  const attack = (available: readonly number[]) => available.find((action) => action >= 6) ?? available[0]
  let deaths = 0
  const look = () =>
    env.active!.forEach((active, i) => {
      const mask = [...env.availableActions![i]]
      assert.equal(mask[0], 1 - active)
      if (active === 1) return
      deaths++
      assert.equal(
        mask.reduce((sum, entry) => sum + entry, 0),
        1,
      )
      assert.ok(env.observations[i].every((x) => x === 0))
    })
  const seeds = Array.from({ length: 60 }, (_, seed) => seed)
  const won = (total: number) => Math.abs(total - 20) < 1e-4
  const lost = seeds.map((seed) => battle(env, seed, any, look)).filter((total) => !won(total))
  assert.ok(lost.length > 55 && lost.every((total) => total < 3.3))
  assert.ok(deaths > 60)
  assert.ok(seeds.filter((seed) => won(battle(env, seed, attack))).length > 55)
  assert.throws(() => makeEnvFactory({ id: 'games/skirmish', archers: 0, guards: 0 }), /must be at least 1$/)
})

test('skirmish: only raiders in range can be hit, and distant units are not observed', async () => {
  const env = await make('games/skirmish', { archers: 1, guards: 1, raiders: 1 })
  const ranges = [3, 1]
  let [hits, unseen] = [0, 0]
  const check = () => {
    for (const agent of [0, 1]) {
      if (env.active![agent] === 0) continue
      // The state has health, x and y of archer, guard and raider.
      const [, x, y] = env.state.subarray(3 * agent, 3 * agent + 3)
      const [health, rx, ry] = env.state.subarray(6, 9)
      const far = Math.max(Math.abs(Math.round(9 * (x - rx))), Math.abs(Math.round(5 * (y - ry))))
      const reached = health > 0 && far <= ranges[agent]
      assert.equal(env.availableActions![agent][6], reached ? 1 : 0)
      const raider = env.observations[agent].subarray(9)
      assert.equal(raider[4], reached ? 1 : 0)
      assert.equal(raider[0] > 0, health > 0 && far <= 5)
      if (reached) hits++
      if (far > 5 && health > 0) unseen++
    }
  }
  const random = new RandomStream(4, 1)
  for (let seed = 0; seed < 20; seed++)
    battle(env, seed, (available) => available[Math.floor(random.uniform() * available.length)], check)
  assert.ok(hits > 10 && unseen > 10)
})

/** A file with a game. */
function gameFile(t: TestContext, game: unknown, name = 'stag-hunt.json'): string {
  const file = join(temporaryDirectory(t), name)
  writeFileSync(file, typeof game === 'string' ? game : JSON.stringify(game))
  return file
}

const STAG_HUNT = {
  agents: ['row', 'column'],
  actions: [['stag', 'hare'], 2],
  payoffs: [
    [
      [4, 4],
      [0, 3],
    ],
    [
      [3, 0],
      [2, 2],
    ],
  ],
}

test('a game from a file has the rewards of its table, and check-env finds nothing', async (t) => {
  const file = gameFile(t, STAG_HUNT)
  const factory = await loadEnvFactory({ id: file })
  assert.deepEqual(factory.config, { id: file })
  assert.match(factory.sha256!, /^[0-9a-f]{64}$/)
  const env = await factory.create(context)
  const { id, mode, agents } = env.spec
  assert.deepEqual([id, mode, ...agents.map((agent) => agent.id)], ['stag-hunt', 'general', 'row', 'column'])
  assert.deepEqual(once(env, 0, 1), [0, 3])
  assert.deepEqual(once(env, 1, 0), [3, 0])
  const { findings } = await checkEnv(factory, { context, allocation: false })
  assert.deepEqual(findings, [])

  const sparse = { ...STAG_HUNT, payoffs: { default: -1, 'stag,0': 4, '1,1': [2, 2] } }
  const other = await loadEnvFactory({ id: gameFile(t, sparse) })
  assert.notEqual(other.sha256, factory.sha256)
  const team = await other.create(context)
  assert.equal(team.spec.mode, 'cooperative')
  assert.deepEqual(
    [once(team, 0, 0), once(team, 0, 1), once(team, 1, 1)],
    [
      [4, 4],
      [-1, -1],
      [2, 2],
    ],
  )
})

test('a game with states moves between them, with their masks, until it ends or is truncated', async (t) => {
  const game = {
    name: 'corridor',
    agents: 2,
    actions: [2, 3],
    states: [
      { name: 'left', payoffs: 0, next: [['left', 'right', 'left'], { left: 0.5, right: 0.25 }] },
      {
        name: 'right',
        payoffs: 1,
        available: [
          [1, 0],
          [1, 1, 0],
        ],
      },
    ],
    start: { left: 1 },
    timeLimit: 6,
  }
  const factory = await loadEnvFactory({ id: gameFile(t, game) })
  const env = await factory.create(context)
  env.reset(1)
  assert.deepEqual([...env.state], [1, 0, 0])
  assert.deepEqual(
    env.availableActions!.map((mask) => [...mask]),
    [
      [1, 1],
      [1, 1, 1],
    ],
  )
  assert.equal(env.step(), RUNNING)
  env.actions[1][0] = 1
  assert.equal(env.step(), RUNNING)
  assert.deepEqual([...env.state, ...env.rewards], [0, 1, 0, 0, 0])
  assert.deepEqual(
    env.availableActions!.map((mask) => [...mask]),
    [
      [1, 0],
      [1, 1, 0],
    ],
  )
  assert.equal(env.step(), TERMINATED)
  assert.deepEqual([...env.rewards], [1, 1])
  // One draw from the state whose next is drawn: half stay, a quarter go on, a quarter end.
  const counts = { '1,0,0': 0, '0,1,0': 0, '0,0,0': 0 }
  for (let seed = 0; seed < 400; seed++) {
    env.reset(seed)
    env.actions[0][0] = 1
    env.step()
    counts[[...env.state].join() as keyof typeof counts]++
  }
  for (const [state, expected] of [
    ['1,0,0', 200],
    ['0,1,0', 100],
    ['0,0,0', 100],
  ] as const)
    assert.ok(Math.abs(counts[state] - expected) < 45, `${state}: ${counts[state]}`)
  const { findings } = await checkEnv(factory, { context, allocation: false })
  assert.deepEqual(findings, [])
  const short = await (await loadEnvFactory({ id: gameFile(t, game), timeLimit: 1 })).create(context)
  short.reset(1)
  assert.equal(short.step(), 2)
})

test('mistakes in a game file are reported in one line', async (t) => {
  const states = [{ payoffs: 0 }, { payoffs: 0 }]
  for (const [change, line] of [
    [{ payoffs: [[1, 2]] }, 'payoffs is [[1,2]]: must be a list of 2, one entry for each action of row'],
    [
      {
        payoffs: [
          [1, 'a'],
          [1, 1],
        ],
      },
      'payoffs[0][1] is "a": must be a number for all agents, or a list of 2 numbers',
    ],
    [
      {
        payoffs: [
          [1, [1]],
          [1, 1],
        ],
      },
      'payoffs[0][1] is [1]: must be a number for all agents, or a list of 2 numbers',
    ],
    [{ payoffs: undefined }, 'payoffs is undefined: must be a number for all agents, or a list of 2 numbers'],
    [
      { payoffs: { 'stag,2': 1 } },
      'payoffs["stag,2"]: no such joint action: must be an action of each agent, such as "stag,0"',
    ],
    [{ agents: 0 }, 'agents is 0: must be a number of agents up to 4194304, or a list of their names'],
    [
      { agents: ['a', 'a'] },
      'agents is ["a","a"]: must be a number of agents up to 4194304, or a list of their names',
    ],
    [
      { actions: [2, 1e12] },
      'actions[1] is 1000000000000: must be a number of actions up to 4194304, or a list of their names',
    ],
    [
      { actions: [2] },
      'actions is [2]: must be a number of actions up to 4194304, or a list with a number or a list of names for each agent',
    ],
    [
      { actions: [2, ['x', 3]] },
      'actions[1] is ["x",3]: must be a number of actions up to 4194304, or a list of their names',
    ],
    [
      {
        available: [
          [1, 1],
          [0, 0],
        ],
      },
      'available[1] is [0,0]: must be a list of 2 zeros and ones, not all of them 0',
    ],
    [{ next: 'there' }, 'next is "there": must be one of the states 0, probabilities of them, or null'],
    [{ next: { '0': 2 } }, 'next is {"0":2}: must be probabilities that sum to at most 1'],
    [{ timeLimit: 0 }, 'timeLimit is 0: must be a whole number from 1'],
    [
      { payoff: 3 },
      'payoff: no such key; keys are name, agents, actions, states, start, timeLimit, payoffs, next, available',
    ],
    [
      { states, payoffs: undefined, start: { '0': 0.5 } },
      'start is {"0":0.5}: must be a state, or probabilities that sum to 1',
    ],
    [
      { agents: 24, actions: 2, payoffs: 0 },
      '1 states and 16777216 joint actions make tables of 419430400 numbers: must be at most 4194304',
    ],
  ] as const) {
    const file = gameFile(t, { ...STAG_HUNT, ...change })
    await assert.rejects(loadEnvFactory({ id: file }), {
      name: 'HatrpoError',
      exitCode: 2,
      message: `game ${file}: ${line}`,
    })
  }
  const broken = gameFile(t, '{"agents": 2,\n "actions": }')
  await assert.rejects(loadEnvFactory({ id: broken }), { exitCode: 2, message: /stag-hunt\.json:2:13: / })
  const list = gameFile(t, [1])
  await assert.rejects(loadEnvFactory({ id: list }), {
    exitCode: 2,
    message: /the file is \[1\]: must be an object/,
  })
  await assert.rejects(loadEnvFactory({ id: gameFile(t, STAG_HUNT), size: 3 }), {
    exitCode: 2,
    message: 'env.size=3: no such option; options are timeLimit',
  })
})
