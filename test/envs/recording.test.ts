import assert from 'node:assert/strict'
import test from 'node:test'
import { EpisodeRecording, RUNNING, TRUNCATED, withReplay, type MultiAgentEnv } from '../../src/envs/index.js'
import { RandomStream } from '../../src/envs/random.js'
import team, { Team } from '../training/fixtures/team.js'
import makeWind from './fixtures/wind.js'

/** The boat, with the number of times it was reset and stepped. */
function countedWind(): { env: MultiAgentEnv; counts: { resets: number; steps: number } } {
  const env = makeWind({})
  const counts = { resets: 0, steps: 0 }
  const [reset, step] = [env.reset.bind(env), env.step.bind(env)]
  env.reset = (seed) => (counts.resets++, reset(seed))
  env.step = () => (counts.steps++, step())
  return { env, counts }
}

/** Actions of a step, from a separate stream. */
function act(env: MultiAgentEnv, random: RandomStream): number {
  for (const action of env.actions) for (let i = 0; i < action.length; i++) action[i] = random.uniform() - 0.5
  return env.step()
}

/** All that the views of an environment hold, to the bit. */
const views = ({ observations, state, rewards }: MultiAgentEnv) =>
  [...observations, state, rewards].map((view) => Buffer.from(view.slice().buffer).toString('hex'))

/** An episode's views after every step from its present state, under given actions. */
function course(env: MultiAgentEnv, actions: RandomStream): string[][] {
  const all: string[][] = []
  for (let end = RUNNING; end === RUNNING; all.push(views(env))) end = act(env, actions)
  return all
}

test('an environment that cannot save its state continues from a replayed episode to the same bits', () => {
  for (const before of [0, 1, 7, 24]) {
    const env = withReplay(makeWind({}))
    const random = new RandomStream(3, 1)
    env.reset(77)
    for (let step = 0; step < before; step++) assert.equal(act(env, random), RUNNING)
    const [saved, seen] = [env.saveState!(), views(env)]
    const rest = course(env, new RandomStream(4, 1))
    assert.equal(rest.length, 25 - before)

    const other = withReplay(makeWind({}))
    other.loadState!(saved)
    if (before > 0) assert.deepEqual(views(other), seen)
    assert.deepEqual(other.saveState!(), saved)
    assert.deepEqual(course(other, new RandomStream(4, 1)), rest)
  }
})

test('a finished episode can be saved and restored before the next reset', () => {
  const env = withReplay(makeWind({}))
  env.reset(2 ** 53 - 1)
  course(env, new RandomStream(5, 1))
  const other = withReplay(makeWind({}))
  other.loadState!(env.saveState!())
  assert.deepEqual(views(other), views(env))
})

test('an environment in the state of the saved episode is not replayed', () => {
  const { env: inner, counts } = countedWind()
  const env = withReplay(inner)
  const random = new RandomStream(6, 1)
  env.reset(5)
  for (let step = 0; step < 4; step++) act(env, random)
  const saved = env.saveState!()
  env.loadState!(saved)
  assert.deepEqual(counts, { resets: 1, steps: 4 })
  act(env, random)
  env.loadState!(saved)
  assert.deepEqual(counts, { resets: 2, steps: 9 })
  env.reset(5)
  env.loadState!(saved)
  assert.deepEqual(counts, { resets: 4, steps: 13 })
})

test('a submitted step is started once with its actions, and replayed with them', () => {
  const makeSubmitting = () => {
    const env = makeWind({})
    const [reset, step] = [env.reset.bind(env), env.step.bind(env)]
    let taken: Float32Array[] | undefined
    let submitted = 0
    return Object.assign(env, {
      submit: () => {
        submitted++
        taken = env.actions.map((action) => action.slice())
      },
      reset: (seed: number) => {
        taken = undefined
        reset(seed)
      },
      step: () => {
        taken?.forEach((action, i) => env.actions[i].set(action))
        taken = undefined
        return step()
      },
      count: () => submitted,
    })
  }
  const inner = makeSubmitting()
  const env = withReplay(inner)
  const random = new RandomStream(6, 1)
  env.reset(5)
  for (let n = 1; n <= 4; n++) {
    for (const action of env.actions) action.fill(random.uniform())
    env.submit!()
    env.submit!()
    assert.equal(inner.count(), n)
    assert.throws(
      () => env.saveState!(),
      /saveState\(\) between submit\(\) and step\(\): call step\(\) first$/,
    )
    for (const action of env.actions) action.fill(-1)
    env.step()
  }
  const [saved, seen] = [env.saveState!(), views(env)]
  const other = withReplay(makeWind({}))
  assert.equal(other.submit, undefined)
  other.loadState!(saved)
  assert.deepEqual(views(other), seen)
  env.submit!()
  env.loadState!(saved)
  assert.deepEqual(views(env), seen)
  env.submit!()
  env.reset(5)
  env.loadState!(saved)
  assert.deepEqual(views(env), seen)
})

test('an environment whose reset failed is replayed from its recording', () => {
  const inner = makeWind({})
  const env = withReplay(inner)
  env.reset(5)
  const [saved, seen] = [env.saveState!(), views(env)]
  const reset = inner.reset.bind(inner)
  inner.reset = (seed) => {
    reset(6)
    if (seed === 5) throw new Error('no wind')
  }
  assert.throws(() => env.reset(5), /no wind/)
  inner.reset = reset
  env.loadState!(saved)
  assert.deepEqual(views(env), seen)
})

test('an environment that can save its state is not wrapped', () => {
  const env = team()
  assert.equal(withReplay(env), env)
})

test('a replay with a different result is an error with the requirements of an environment', () => {
  class Drifting extends Team {
    static episodes = 0
    override reset(seed: number): void {
      super.reset(seed + Drifting.episodes++)
    }
  }
  const drifting = () => Object.assign(new Drifting(), { saveState: undefined }) as unknown as MultiAgentEnv
  const env = withReplay(drifting())
  env.reset(9)
  for (let step = 0; step < 3; step++) env.step()
  const saved = env.saveState!()
  assert.throws(() => withReplay(drifting()).loadState!(saved), {
    name: 'HatrpoError',
    message:
      /^team is not deterministic under its seed: its episode from seed 9, replayed for 3 steps, gave different [^\n]*$/,
  })

  const short = withReplay(makeWind({}))
  short.reset(1)
  const actions = new RandomStream(1, 1)
  for (let step = 0; step < 5; step++) act(short, actions)
  const ending = makeWind({})
  ending.step = () => TRUNCATED
  assert.throws(
    () => withReplay(ending).loadState!(short.saveState!()),
    /replayed for 5 steps, ended after 1;/,
  )
})

test('a recording of any length keeps every action, and is read back unchanged', () => {
  const env = makeWind({})
  const recording = new EpisodeRecording([1, 2])
  assert.throws(() => recording.toBytes(env), /has no state to save: reset it first$/)
  recording.start(12)
  const random = new RandomStream(8, 1)
  const steps = Array.from({ length: 1000 }, () => Float32Array.from({ length: 3 }, () => random.uniform()))
  for (const step of steps) recording.add([step.subarray(0, 1), step.subarray(1)])
  const read = EpisodeRecording.fromBytes(recording.toBytes(env))
  assert.ok(read.equals(recording))
  assert.deepEqual([read.seed, read.steps, read.actionSizes], [12, 1000, [1, 2]])
  steps.forEach((step, t) => assert.deepEqual(read.actionsOf(t), step))
  read.add([steps[0].subarray(0, 1), steps[0].subarray(1)])
  assert.deepEqual(read.actionsOf(1000), steps[0])
  assert.ok(!read.equals(recording))
})

test('invalid recordings, and those of another environment, are refused in one line', () => {
  const env = withReplay(makeWind({}))
  env.reset(1)
  const saved = env.saveState!()
  for (const damaged of [saved.slice(0, 10), saved.slice(0, -1), new Uint8Array(80), new Uint8Array(0)])
    assert.throws(() => env.loadState!(damaged), {
      name: 'HatrpoError',
      message: "an environment's saved state is damaged: it is not a recorded episode",
    })
  const other = withReplay(Object.assign(new Team(), { saveState: undefined }))
  assert.throws(
    () => other.loadState!(saved),
    /^HatrpoError: team takes actions of 1, 1 numbers and the saved /,
  )
})
