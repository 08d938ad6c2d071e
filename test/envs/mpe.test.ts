import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { checkEnv, EnvContext, listEnvs, makeEnvFactory, type MultiAgentEnv } from '../../src/envs/index.js'
import { exponential, softplus } from '../../src/envs/exponential.js'
import type { ParticleState } from '../../src/envs/mpe/world.js'
import { goldenPath } from './paths.js'

const context = new EnvContext()
const make = (id: string, options: Record<string, string | number> = {}) =>
  makeEnvFactory({ id, ...options }).create(context)

interface Start {
  pos: number[][]
  vel: number[][]
  comm: number[][]
  landmark_pos: number[][]
  goal?: { landmark: (number | null)[] }
}
interface Recorded {
  name: string
  actions: 'discrete' | 'continuous'
  transitions: {
    state: Start
    actions: (number | number[])[]
    next_observations: number[][]
    rewards: number[]
  }[]
}

/** Puts an environment, which has been reset, into a recorded state. */
function place(env: MultiAgentEnv, { pos, vel, comm, landmark_pos, goal }: Start): void {
  const { memory } = env as unknown as { memory: ParticleState }
  memory.position.set([...pos, ...landmark_pos].flat())
  memory.velocity.set(vel.flat())
  memory.message.set(comm.flat())
  const goals = goal?.landmark ?? [0]
  const any = goals.find((landmark) => landmark !== null)!
  memory.goal.set(pos.map((_, i) => goals[i] ?? any))
}

/** Checks that numbers are equal to within what single precision loses, of them and of the actions. */
function assertClose(ours: ArrayLike<number>, recorded: readonly number[], what: string): void {
  assert.equal(ours.length, recorded.length)
  recorded.forEach((value, k) => {
    const far = Math.abs(ours[k] - value) / Math.max(1, Math.abs(value))
    assert.ok(far <= 1e-6, `${what}[${k}]: ${ours[k]} for ${value}`)
  })
}

for (const file of readdirSync(goldenPath('mpe'))) {
  test(`${file}: the environment takes the recorded steps`, async () => {
    const golden = JSON.parse(readFileSync(goldenPath(join('mpe', file)), 'utf8')) as Recorded
    const name = golden.name.replace('simple_', '').replace('_', '-')
    const { actions } = golden
    const env = await make(`mpe/${name}`, { actions, rewards: 'each' })
    const shared = await make(`mpe/${name}`, { actions, rewards: 'sum' })
    const mean = await make(`mpe/${name}`, { actions, rewards: 'mean' })
    for (const [t, step] of golden.transitions.entries()) {
      for (const each of [env, shared, mean]) {
        each.reset(1)
        place(each, step.state)
        step.actions.forEach((action, i) => each.actions[i].set([action].flat()))
        assert.equal(each.step(), 0)
      }
      step.next_observations.forEach((seen, i) =>
        assertClose(env.observations[i], seen, `${t}: observations[${i}]`),
      )
      assertClose(env.state, step.next_observations.flat(), `${t}: state`)
      assertClose(env.rewards, step.rewards, `${t}: rewards`)
      const total = step.rewards.reduce((sum, reward) => sum + reward, 0)
      const alike = (value: number) => step.rewards.map(() => value)
      assertClose(shared.rewards, alike(total), `${t}: sum`)
      assertClose(mean.rewards, alike(total / step.rewards.length), `${t}: mean`)
    }
    assert.deepEqual([env.spec.mode, shared.spec.mode], ['general', 'cooperative'])
  })
}

for (const { id } of listEnvs().filter(({ id }) => id.startsWith('mpe/'))) {
  test(`${id}: check-env finds nothing with either kind of actions`, async () => {
    for (const actions of ['discrete', 'continuous']) {
      const factory = makeEnvFactory({ id, actions })
      const { findings, episodes } = await checkEnv(factory, { context, allocation: false })
      assert.deepEqual(findings, [])
      assert.deepEqual([...new Set(episodes.map(({ steps }) => steps))], [25])
    }
  })
}

test('a separate move and word have the effect of a joint action', async () => {
  const together = await make('mpe/reference')
  const apart = await make('mpe/reference', { actions: 'multiDiscrete' })
  assert.deepEqual(apart.spec.agents[0].action, { kind: 'multiDiscrete', sizes: [5, 10] })
  for (const env of [together, apart]) env.reset(5)
  for (let action = 0; action < 20; action++) {
    together.actions.forEach((out, i) => (out[0] = (action * 7 + 13 * i) % 50))
    together.actions.forEach((out, i) => apart.actions[i].set([out[0] % 5, Math.floor(out[0] / 5)]))
    together.step()
    apart.step()
    assert.deepEqual(apart.state, together.state)
  }
})

test('tasks come in other sizes, whose observations have the length of their parts', async () => {
  const sizes = async (id: string, options: Record<string, number>) => {
    const { spec } = await make(id, options)
    return spec.agents.map(({ observation }) => observation.size)
  }
  assert.deepEqual(await sizes('mpe/spread', { agents: 5 }), Array<number>(5).fill(30))
  assert.deepEqual(await sizes('mpe/spread', { agents: 1 }), [6])
  assert.deepEqual(await sizes('mpe/tag', { good: 2, adversaries: 1, obstacles: 0 }), [12, 10, 10])
  assert.deepEqual(await sizes('mpe/adversary', { good: 3 }), [12, 14, 14, 14])
  const limited = await make('mpe/push', { timeLimit: 2 })
  limited.reset(1)
  assert.deepEqual([limited.step(), limited.step()], [0, 2])
})

test('wrong options are refused in one line with the valid values', () => {
  for (const [id, option, value, line] of [
    ['mpe/spread', 'actions', 'box', 'env.actions=box: must be discrete or continuous'],
    ['mpe/push', 'actions', 'multiDiscrete', 'env.actions=multiDiscrete: must be discrete or continuous'],
    ['mpe/tag', 'rewards', 'team', 'env.rewards=team: must be sum or mean or each'],
    ['mpe/spread', 'agents', 0, 'env.agents=0: must be a whole number from 1'],
    ['mpe/spread', 'localRatio', 1.5, 'env.localRatio=1.5: must be a number from 0 to 1'],
    ['mpe/push', 'agent', 3, /^env\.agent=3: no such option; options are .*actions/],
    ['mpe/tags', 'good', 1, /^environment mpe\/tags: no such environment; did you mean mpe\/tag\? /],
  ] as const) {
    assert.throws(() => makeEnvFactory({ id, [option]: value }), {
      name: 'HatrpoError',
      exitCode: 2,
      message: line,
    })
  }
})

test('exponential and softplus are accurate to a few units in the last place', () => {
  for (let k = -2000; k <= 2000; k++) {
    const x = k * 0.35
    const expected = Math.exp(x)
    assert.ok(Math.abs(exponential(x) - expected) <= 4e-16 * expected, `exp(${x})`)
    const soft = Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
    assert.ok(Math.abs(softplus(x) - soft) <= 8e-16 * soft, `softplus(${x})`)
  }
  assert.deepEqual([exponential(-800), exponential(800), softplus(300000)], [0, Infinity, 300000])
})
