import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockLayout } from '../../src/algorithms/off-policy/block.js'
import { Replay, type ReplayOptions } from '../../src/algorithms/off-policy/replay.js'
import { TargetCopy } from '../../src/algorithms/off-policy/targets.js'
import { openHost } from '../../src/devices/open.js'
import { box, RUNNING, TERMINATED, TRUNCATED, type EnvSpec } from '../../src/envs/index.js'
import { RandomStream } from '../../src/envs/random.js'
import { BASIC_NEEDS, RolloutStorage } from '../../src/rollout/index.js'
import { close } from '../reference/close.js'
import { U } from '../reference/dense.js'

const ENVS = 3
const STEPS = 4
const LIMIT = 6
const BLOCKS = 11
const SLOTS = 4
const GAMMA = 0.9

const env: EnvSpec = {
  id: 'numbers',
  agents: [1, 2].map((size) => ({ id: `agent_${size}`, observation: box(size), action: box(size, -1, 1) })),
  stateSize: 1,
  timeLimit: LIMIT,
  mode: 'general',
}

/** Record of a step of one environment. */
interface Step {
  /** State before it, and after it: of the next step, or the one in which the episode ended. */
  readonly state: number
  readonly next: number
  readonly rewards: readonly [number, number]
  readonly end: number
  readonly broken: boolean
  readonly active: boolean
}

/** Episodes of random lengths with distinct states. */
function history(): Step[][] {
  const random = new RandomStream(5, 1)
  let states = 0
  return Array.from({ length: ENVS }, () => {
    const steps: Step[] = []
    let [state, age] = [++states, 0]
    while (steps.length < BLOCKS * STEPS) {
      const broken = random.uniform() < 0.1
      const dies = !broken && random.uniform() < 0.1
      const end = broken || dies ? TERMINATED : ++age === LIMIT ? TRUNCATED : RUNNING
      const next = ++states
      const rewards = [0, 1].map(() => (broken ? 0 : random.uniform())) as [number, number]
      steps.push({ state, next, rewards, end, broken, active: random.uniform() < 0.8 })
      state = end === RUNNING ? next : ++states
      if (end !== RUNNING) age = 0
    }
    return steps
  })
}

/** A replay with the latest of some rollouts, and where in the history each of its rows is. */
async function filled(blocks: number, options: Partial<ReplayOptions>) {
  const host = await openHost()
  const storage = new RolloutStorage(host, env, ENVS, STEPS, { ...BASIC_NEEDS, observationValues: true })
  const layout = new BlockLayout(env, storage, 'state')
  const drawing = { seed: 3, gamma: GAMMA, nStep: 3, batchSize: 300, limitsEnd: false, ...options }
  const replay = new Replay(host, host, layout, storage.layout, SLOTS, drawing)
  const past = history()
  for (let block = 0; block < blocks; block++) {
    for (let e = 0; e < ENVS; e++) {
      let cuts = 0
      for (let t = 0; t < STEPS; t++) {
        const { state, next, rewards, end, broken, active } = past[e][block * STEPS + t]
        const row = t * ENVS + e
        storage.team.states[row] = state
        storage.team.ends[row] = end
        storage.team.valid[row] = broken ? 0 : 1
        rewards.forEach((reward, i) => (storage.agentColumn('rewards', [i])[row] = reward))
        storage.agentColumn('weight', [0])[row] = broken ? 0 : 1
        storage.agentColumn('weight', [1])[row] = !broken && active ? 1 : 0
        for (const agent of [0, 1]) {
          const width = agent + 1
          for (let j = 0; j < width; j++) {
            storage.agentColumn('valuedObservations', [agent])[row * width + j] = state + j
            storage.agentColumn('actions', [agent])[row * width + j] = state + 0.25 * (agent + j)
          }
        }
        if (end === TRUNCATED) storage.team.finalStates[ENVS + e * storage.layout.truncations + cuts++] = next
        if (t === STEPS - 1) {
          const following = end === RUNNING ? next : (past[e][block * STEPS + t + 1]?.state ?? -1)
          storage.team.finalStates[e] = following
        }
      }
    }
    replay.add(layout.pack())
  }
  return { host, replay, layout, past, nStep: drawing.nStep, limitsEnd: drawing.limitsEnd }
}

type Filled = Awaited<ReturnType<typeof filled>>

/** Return, discount and last state of the transition from a step on, from the history. */
function expected({ past, nStep, limitsEnd }: Filled, e: number, step: number, until: number) {
  const returns = [0, 0]
  let discount = 1
  for (let k = 0; k < nStep; k++) {
    const { rewards, end, next } = past[e][step + k]
    rewards.forEach((reward, i) => (returns[i] += discount * Math.fround(reward)))
    discount *= GAMMA
    if (end === TERMINATED || (end === TRUNCATED && limitsEnd)) return { returns, discount: 0, last: null }
    const follows = past[e][step + k + 1]
    if (end === TRUNCATED || k + 1 === nStep || step + k + 1 === until || follows.broken)
      return { returns, discount, last: next }
  }
  throw new Error('nStep is 0')
}

for (const [what, blocks, options] of [
  ['one step', 3, { nStep: 1 }],
  ['three steps, more rollouts than are kept', BLOCKS, {}],
  ['longer than the replay', 7, { nStep: 100 }],
  ['time limits end', BLOCKS, { limitsEnd: true }],
] as const) {
  test(`transitions drawn from a replay buffer are those of the history: ${what}`, async () => {
    const world = await filled(blocks, options)
    const { host, replay, layout, past } = world
    assert.equal(replay.count, blocks)
    const first = Math.max(0, blocks - SLOTS)
    assert.equal(replay.size, (blocks - first) * STEPS * ENVS)
    const states = host.read(replay.joint)
    const width = layout.joint.width
    const seen = new Set<number>()
    for (let draw = 0; draw < 3; draw++) {
      const drawn = replay.draw(draw)
      for (let b = 0; b < drawn.first.length; b++) {
        const state = states[drawn.first[b] * width]
        seen.add(state)
        const e = past.findIndex((steps) => steps.some((step) => step.state === state))
        const at = past[e].findIndex((step) => step.state === state)
        assert.ok(at >= first * STEPS && at < blocks * STEPS, 'one of the latest rollouts')
        const { broken, active } = past[e][at]
        const weights = [0, 1].map((agent) => drawn.weights[agent][b])
        assert.deepEqual(weights, broken ? [0, 0] : [1, active ? 1 : 0])
        assert.equal(drawn.valid[b], broken ? 0 : 1)
        if (broken) continue
        const want = expected(world, e, at, blocks * STEPS)
        close([...drawn.returns.map((r) => r[b])], want.returns, 1e-12, 'returns')
        close([drawn.discounts[b]], [want.discount], 1e-12, 'discount')
        if (want.last !== null) assert.equal(states[drawn.last[b] * width], want.last)
      }
    }
    assert.equal(seen.size, replay.size, 'every transition is drawn')
  })
}

test('a block has the state and all actions side by side, and separate observations', async () => {
  const { host, replay, past } = await filled(1, {})
  const { state } = past[1][2]
  const row = 2 * ENVS + 1
  assert.deepEqual(Array.from(host.read(replay.joint)).slice(4 * row, 4 * row + 4), [
    state,
    state,
    state + 0.25,
    state + 0.5,
  ])
  assert.deepEqual(Array.from(host.read(replay.observations![1])).slice(2 * row, 2 * row + 2), [
    state,
    state + 1,
  ])
})

test('a target network moves by its weight', async () => {
  const host = await openHost()
  const parameters = host.tensor('f32', 3)
  host.write(parameters, [1, 2, 3])
  const target = new TargetCopy(host, parameters)
  assert.deepEqual(Array.from(host.read(target.tensor)), [1, 2, 3])
  host.write(parameters, [2, 0, -1])
  target.follow(0.25)
  close(host.read(target.tensor), [1.25, 1.5, 2], 8 * U, 'a quarter of the way')
  target.follow(1)
  close(host.read(target.tensor), [2, 0, -1], 8 * U, 'all of it')
})
