import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import {
  BrokenStepError,
  EnvContext,
  loadEnvFactory,
  RUNNING,
  TERMINATED,
  TRUNCATED,
  type MultiAgentEnv,
} from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { findPython, makePython, markerFile, pythonEnv, pythonId } from './python.js'

const plain = (view: ArrayLike<number>) => Array.from(view)
const numpy = findPython('numpy')
const { python, missing } = findPython()

/** A copy of all that an environment shows. */
const shown = ({ observations, state, rewards, active, availableActions = [] }: MultiAgentEnv) => ({
  observations: observations.map(plain),
  state: plain(state),
  rewards: plain(rewards),
  active: plain(active!),
  masks: availableActions.map(plain),
})

/** Makes all agents push by numbers that depend on the step, submits all environments, and steps them. */
function stepAll(envs: readonly MultiAgentEnv[], step: number): number[] {
  envs.forEach(({ actions }, k) => actions.forEach((action, i) => action.fill((step + k - i) / 10 - 0.5)))
  for (const env of envs) env.submit!()
  return envs.map((env) => env.step())
}

test(
  'spaces are flattened in their order with their bounds, discrete ones as one-hot',
  { skip: missing },
  async (t) => {
    const { envs } = await makePython(t, pythonEnv('spaces'))
    const [env] = envs
    const [{ observation }] = env.spec.agents
    const ones = (n: number) => new Array<number>(n).fill(1)
    const zeros = (n: number) => new Array<number>(n).fill(0)
    assert.equal(observation.size, 20)
    assert.deepEqual(plain(observation.low), [-1, -Infinity, ...zeros(18)])
    assert.deepEqual(plain(observation.high), [
      1,
      2.5,
      ...ones(3),
      ...new Array<number>(6).fill(255),
      ...ones(9),
    ])
    env.reset(1)
    const nested = [0, 1, 0, 0, 1, 0, 1, 1, 0]
    assert.deepEqual(plain(env.observations[0]), [0.25, -7, 0, 0, 1, 1, 2, 3, 4, 5, 6, ...nested])
    const actions = Object.fromEntries(env.spec.agents.map(({ id, action }) => [id, action]))
    const box = (low: number[], high: number[]) => ({
      kind: 'box',
      size: low.length,
      low: Float64Array.from(low),
      high: Float64Array.from(high),
    })
    assert.deepEqual(actions, {
      boxes: box([-1, -1, -1, -1], [1, 1, 1, 1]),
      whole: box([0, 0, 0], [9, 9, 9]),
      one: { kind: 'discrete', n: 3 },
      multi: { kind: 'multiDiscrete', sizes: [2, 4] },
      bits: { kind: 'multiDiscrete', sizes: [2, 2, 2] },
      choices: { kind: 'multiDiscrete', sizes: [3, 2, 4, 5] },
      limbs: box([-1, 0, 0], [1, 0.5, 0.5]),
    })
  },
)

test('actions have the shape, the range and the numbering of their spaces', { skip: missing }, async (t) => {
  const { envs } = await makePython(t, pythonEnv('spaces'))
  const [env] = envs
  env.reset(1)
  const given = [[0.25, -3, 0.5, 7], [1.6, -2, 99], [2], [1, 3], [0, 1, 1], [2, 1, 0, 4], [-0.5, 0.75, 0.125]]
  env.actions.forEach((action, i) => action.set(given[i]))
  assert.throws(
    () => env.step(),
    (error: Error) => {
      assert.ok(error instanceof BrokenStepError)
      const told =
        "{'boxes': [[0.25, -1.0], [0.5, 1.0]], 'whole': [2, 0, 9], 'one': 7, 'multi': [1, 3], 'bits': [0, 1, 1], " +
        "'choices': {'move': 1, 'tools': (1, [0, 4])}, 'limbs': ([-0.5], {'hand': [0.5, 0.125]})}"
      assert.match(error.message, /: ValueError: \{.*\} \(games\.py:\d+\)$/)
      assert.ok(error.message.includes(told), error.message)
      assert.match((error.cause as Error).stack!, /^Traceback[^]*raise ValueError\(repr\(actions\)\)/)
      return true
    },
  )
  env.reset(1)
  env.actions[2][0] = 3
  assert.throws(() => env.step(), /: one chose 3: it must be a whole number from 0 to 2$/)
  await assert.rejects(
    makePython(t, { ...pythonEnv('wrong', { what: 'mixed' }) }),
    /the action of left: Tuple mixes continuous and discrete parts: all must be of one sort$/,
  )
})

test("numpy's arrays and types", { skip: numpy.missing }, async (t) => {
  const options = { python: numpy.python }
  const { envs } = await makePython(t, { id: pythonId('cameras', 'arrays'), ...options }, 2)
  const [env, other] = envs
  const [left, right] = env.spec.agents
  assert.deepEqual([left.observation.size, env.spec.stateSize, env.spec.timeLimit], [36, 2, 5])
  assert.deepEqual([left.observation.low[35], left.observation.high[35]], [0, 255])
  assert.deepEqual(
    [left.action, right.action].map(({ kind }) => kind),
    ['box', 'box'],
  )
  for (const each of envs) {
    each.reset(3)
    each.actions[0].set([0.5, 0.25])
    each.actions[1].set([1.7, -9])
  }
  assert.deepEqual(shown(env), shown(other))
  assert.ok(new Set(env.observations[0]).size > 10)
  assert.equal(env.step(), RUNNING)
  // 0.5 + 0.25, and 2 - 2 of the rounded and limited numbers; rewards 0.5 and that sum.
  assert.deepEqual(plain(env.state), [0.75, 1])
  assert.deepEqual(plain(env.rewards), [1.25, 1.25])
  const ends = [2, 3, 4, 5].map(() => env.step())
  assert.deepEqual(ends, [RUNNING, RUNNING, RUNNING, TRUNCATED])

  const { envs: choosers } = await makePython(t, { id: pythonId('choosers', 'arrays'), ...options })
  const [chooser] = choosers
  chooser.reset(1)
  chooser.actions.forEach((action, i) => action.set([[2], [1, 2], [1, 0, 1, 1]][i]))
  assert.equal(chooser.step(), RUNNING)
  assert.deepEqual(chooser.observations.map(plain), [
    [2, 2, 2, 2],
    [1, 2, 1, 2],
    [1, 0, 1, 1],
  ])
  assert.deepEqual(chooser.availableActions!.map(plain), [
    [1, 0, 1],
    [1, 0, 1, 0, 1],
    [1, 0, 1, 0, 1, 0, 1, 0],
  ])
})

test('large observations arrive completely', { skip: numpy.missing }, async (t) => {
  const kwargs = JSON.stringify({ height: 210, width: 160 })
  const config = { id: pythonId('cameras', 'arrays'), python: numpy.python, kwargs }
  const { envs } = await makePython(t, config, 3)
  envs.forEach((env, k) => env.reset(k))
  const size = 210 * 160 * 3
  assert.equal(envs[0].observations[0].length, size)
  stepAll(envs, 0)
  const { observations } = envs[2]
  const mean = observations[1].reduce((sum, value) => sum + value, 0) / size
  assert.ok(mean > 126 && mean < 129, `mean of ${size} uniform bytes: ${mean}`)
  assert.ok(
    observations.every((view) => view.every((value) => Number.isInteger(value) && value >= 0 && value < 256)),
  )
  assert.notDeepEqual(observations[0], observations[1])
})

for (const mask of ['observation', 'info']) {
  test(`action_mask in the ${mask} becomes availableActions`, { skip: missing }, async (t) => {
    const { envs } = await makePython(t, pythonEnv('cast', { leaves: [{}, { b: 'terminated' }], mask }))
    const [env] = envs
    assert.deepEqual(
      env.spec.agents.map(({ observation }) => observation.size),
      [2, 2, 2],
    )
    env.reset(1)
    assert.deepEqual(shown(env).masks, new Array(3).fill([0, 1, 1]))
    env.step()
    assert.deepEqual(shown(env).masks, new Array(3).fill([1, 0, 1]))
    env.step()
    // Whoever has left may choose anything: it counts nowhere.
    assert.deepEqual(shown(env).masks, [[1, 1, 0], [1, 1, 1], [1, 1, 0]]) // oxfmt-ignore
  })
}

test(
  'agents that leave are inactive and observe zeros; the last ones determine how the episode ends',
  { skip: missing },
  async (t) => {
    const run = async (leaves: Record<string, string>[], kwargs = {}) => {
      const { envs } = await makePython(t, pythonEnv('cast', { leaves, ...kwargs }))
      const [env] = envs
      env.reset(1)
      const ends = leaves.map(() => env.step())
      return { env, ends }
    }
    const { env, ends } = await run([{}, { a: 'truncated' }, {}])
    assert.equal(env.availableActions, undefined)
    assert.deepEqual(ends, [RUNNING, RUNNING, RUNNING])
    assert.deepEqual(shown(env), {
      observations: [[0, 0], [3, 1], [3, 2]], // oxfmt-ignore
      state: [0, 0, 3, 1, 3, 2],
      rewards: [110, 110, 110],
      active: [0, 1, 1],
      masks: [],
    })
    // At the end the views hold what those saw who were there.
    const last = await run([{ a: 'terminated' }, { b: 'terminated', c: 'truncated' }])
    assert.deepEqual(last.ends, [RUNNING, TRUNCATED])
    assert.deepEqual(shown(last.env).observations, [[0, 0], [2, 1], [2, 2]]) // oxfmt-ignore
    assert.deepEqual(plain(last.env.active!), [0, 0, 0])
    const all = (how: string) => ({ a: how, b: how, c: how })
    assert.deepEqual((await run([all('terminated')])).ends, [TERMINATED])
    assert.deepEqual((await run([all('truncated')])).ends, [TRUNCATED])
    assert.deepEqual(
      (await run([{ a: 'truncated' }, { b: 'terminated', c: 'terminated' }])).ends[1],
      TERMINATED,
    )
    // Flags count even if the environment does not change env.agents.
    const kept = await run([{ a: 'terminated' }, { b: 'terminated', c: 'terminated' }], { keep_agents: true })
    assert.deepEqual(kept.ends, [RUNNING, TERMINATED])
    assert.throws(() => kept.env.step(), /no episode is running: reset must come before step$/)
  },
)

test('rewards are summed, averaged or separate', { skip: missing }, async (t) => {
  const rewards = async (how?: string) => {
    const options = how === undefined ? {} : { rewards: how }
    const config = pythonEnv('cast', { leaves: [{ b: 'terminated' }, {}] }, options)
    const { envs } = await makePython(t, config)
    const [env] = envs
    env.reset(1)
    assert.deepEqual(plain(env.rewards), [0, 0, 0])
    const found = [0, 1].map(() => (env.step(), plain(env.rewards)))
    return { found, mode: env.spec.mode }
  }
  const three = (value: number) => new Array<number>(3).fill(value)
  assert.deepEqual(await rewards(), { found: [three(111), three(101)], mode: 'cooperative' })
  const mean = [three(37), three(Math.fround(101 / 3))]
  assert.deepEqual(await rewards('mean'), { found: mean, mode: 'cooperative' })
  assert.deepEqual(await rewards('each'), { found: [[1, 10, 100], [1, 0, 100]], mode: 'general' }) // oxfmt-ignore
})

test('agents that act in turn play the parallel form of their game', { skip: missing }, async (t) => {
  const course = async (factory: string) => {
    const [env] = (await makePython(t, pythonEnv(factory))).envs
    return [3, 4, 5].map((seed) => {
      env.reset(seed)
      const seen = []
      for (let end = RUNNING; end === RUNNING;) {
        env.actions.forEach((action, i) => action.fill(i === 0 ? 0.7 : -0.1))
        end = env.step()
        seen.push([end, ...env.observations.map(plain), plain(env.rewards), [...env.active!]])
      }
      return seen
    })
  }
  const [parallel, inTurn] = [await course('drift'), await course('turns')]
  assert.deepEqual(inTurn, parallel)
  // Episodes in which an agent leaves before the other, and some that end at different steps.
  assert.ok(parallel.some((steps) => steps.length > 5))
  assert.ok(new Set(parallel.map((steps) => steps.length)).size > 1)
})

test(
  'Gymnasium environments have one agent per part of their Tuples, or a single agent',
  { skip: missing },
  async (t) => {
    const [squad] = (await makePython(t, pythonEnv('squad'))).envs
    const { agents, stateSize, timeLimit, mode } = squad.spec
    assert.deepEqual(
      agents.map(({ id, observation, action }) => [id, observation.size, action.kind]),
      [['agent_0', 1, 'discrete'], ['agent_1', 2, 'discrete']], // oxfmt-ignore
    )
    assert.deepEqual([stateSize, timeLimit, mode], [3, 5, 'cooperative'])
    squad.reset(1)
    assert.deepEqual(squad.availableActions!.map((mask) => [...mask]), [[1, 1], [0, 1, 1]]) // oxfmt-ignore
    squad.actions[0][0] = 1
    squad.actions[1][0] = 2
    assert.equal(squad.step(), RUNNING)
    assert.deepEqual([squad.state, squad.rewards, ...squad.observations].map(plain), [[1, 1, 1], [12, 12], [1], [1, 7]]) // oxfmt-ignore
    assert.deepEqual([squad.step(), squad.step(), squad.step()], [RUNNING, RUNNING, TERMINATED])

    const [alone] = (await makePython(t, pythonEnv('alone', {}, { timeLimit: 4 }))).envs
    alone.reset(1)
    alone.actions[0][0] = 0.25
    assert.equal(alone.step(), RUNNING)
    assert.deepEqual([plain(alone.rewards), plain(alone.state)], [[0.5], [1, 7]])
    assert.deepEqual([alone.step(), alone.step(), alone.step()], [RUNNING, RUNNING, TRUNCATED])
  },
)

test("the state is the environment's own, or all observations", { skip: missing }, async (t) => {
  const { envs } = await makePython(t, pythonEnv('cast', { leaves: [{ a: 'terminated' }], own_state: true }))
  envs[0].reset(1)
  assert.deepEqual(plain(envs[0].state), [0, 3, -1])
  envs[0].step()
  assert.deepEqual(plain(envs[0].state), [1, 2, -1])
})

test(
  'the time limit is that of the option, that of the environment, or none',
  { skip: missing },
  async (t) => {
    const limits = async (timeLimit: number | undefined, told: number | null) => {
      const options = timeLimit === undefined ? {} : { timeLimit }
      const { spec } = await loadEnvFactory(pythonEnv('cast', { leaves: [], told }, options))
      return [spec.timeLimit, spec.truncatesAfter]
    }
    assert.deepEqual(await limits(undefined, 30), [30, undefined])
    assert.deepEqual(await limits(undefined, null), [Infinity, 1])
    assert.deepEqual(await limits(7, 30), [7, undefined])
    assert.deepEqual(await limits(0, 30), [Infinity, 1])

    const { envs } = await makePython(t, pythonEnv('cast', { leaves: [] }, { timeLimit: 3 }))
    envs[0].reset(1)
    assert.deepEqual(
      [1, 2, 3].map(() => envs[0].step()),
      [RUNNING, RUNNING, TRUNCATED],
    )
    assert.deepEqual(shown(envs[0]).observations, [[3, 0], [3, 1], [3, 2]]) // oxfmt-ignore

    const leaves = [{ a: 'truncated', b: 'truncated', c: 'truncated' }]
    const { envs: early } = await makePython(t, pythonEnv('cast', { leaves, told: 30 }))
    early[0].reset(1)
    assert.throws(
      () => early[0].step(),
      /truncated an episode after 1 steps, before its declared time limit of 30: set env\.timeLimit/,
    )
  },
)

test(
  'the same seed gives the same episode, alone or among others, in one process or another',
  { skip: missing },
  async (t) => {
    const trajectory = (env: MultiAgentEnv) =>
      Array.from({ length: 20 }, (_, step) => [...stepAll([env], step), shown(env)])
    const { envs } = await makePython(t, pythonEnv('team'), 3)
    const { envs: others } = await makePython(t, pythonEnv('team'))
    const [one, two, three] = envs
    one.reset(5)
    const alone = trajectory(one)
    assert.deepEqual(
      alone.map(([end]) => end),
      [...new Array<number>(19).fill(RUNNING), TRUNCATED],
    )
    others[0].reset(5)
    assert.deepEqual(trajectory(others[0]), alone)
    // Python receives the lower 31 bits of seeds above 2^31.
    two.reset(5 + 3 * 2 ** 31)
    assert.deepEqual(trajectory(two), alone)
    envs.forEach((env, k) => env.reset(k === 1 ? 5 : 6 + k))
    const among = Array.from({ length: 20 }, (_, step) => {
      two.actions.forEach((action, i) => action.fill((step - i) / 10 - 0.5))
      one.submit!()
      two.submit!()
      three.submit!()
      return [[three, one, two].map((env) => env.step())[2], shown(two)]
    })
    assert.deepEqual(among, alone)
    assert.throws(() => one.reset(-1), /seed -1: must be a whole number/)
  },
)

test('a saved episode is restored to the bit, also in another process', { skip: missing }, async (t) => {
  const { envs } = await makePython(t, pythonEnv('team'), 2)
  const [env, still] = envs
  env.reset(11)
  still.reset(12)
  for (let step = 0; step < 8; step++) stepAll(envs, step)
  const saved = env.saveState!()
  const stood = shown(env)
  const on = () => [8, 9, 10].map((step) => [...stepAll([env], step), shown(env)])
  const course = on()
  const otherStood = shown(still)
  env.loadState!(saved)
  assert.deepEqual(shown(env), stood)
  assert.deepEqual(on(), course)
  assert.deepEqual(shown(still), otherStood)

  const { envs: fresh } = await makePython(t, pythonEnv('team'))
  fresh[0].loadState!(saved)
  assert.deepEqual(shown(fresh[0]), stood)
  assert.deepEqual(fresh[0].saveState!(), saved)
  assert.deepEqual(
    [8, 9, 10].map((step) => [...stepAll(fresh, step), shown(fresh[0])]),
    course,
  )

  const { envs: cast } = await makePython(t, pythonEnv('cast', { leaves: [] }))
  assert.throws(
    () => cast[0].loadState!(saved),
    /actions have 1, 1, 1 numbers, and in the saved state they have 1, 1$/,
  )
})

test('an environment that is not deterministic under its seed is detected', { skip: missing }, async (t) => {
  const { envs } = await makePython(t, pythonEnv('forgetful'))
  const [env] = envs
  env.reset(1)
  for (let step = 0; step < 3; step++) stepAll([env], step)
  const saved = env.saveState!()
  stepAll([env], 3)
  assert.throws(
    () => env.loadState!(saved),
    /is not deterministic under its seed: its episode from seed 1, played again for 3 steps/,
  )
})

test('a process with closed pipes ends silently', { skip: missing }, async (t) => {
  const child = spawn(python, [join(import.meta.dirname, '../../src/envs/pettingzoo/host.py')])
  t.after(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  child.stdout.destroy()
  // A request of one byte of a kind that there is none of.
  child.stdin.write(Uint8Array.of(1, 0, 0, 0, 99))
  const [code] = (await once(child, 'close')) as [number]
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})

const lost = {
  die: /was killed by SIGKILL/,
  exit: /exited with code 3/,
  hang: /gave no answer for 1 s/,
  sleep: /gave no answer for 1 s/,
}

for (const what of ['die', 'exit', 'hang', 'sleep'] as const) {
  test(
    `a process that ${what}s in a step or a reset is restarted without a change of results`,
    { skip: missing },
    async (t) => {
      const course = async (kwargs: Record<string, unknown>, name = 'breaking') => {
        const { envs, restarts } = await makePython(t, pythonEnv(name, kwargs, { timeout: 1 }), 3)
        const seen: unknown[] = []
        envs.forEach((env, k) => env.reset(k))
        // The first was stepped alone and the second was reset, so their states differ.
        stepAll([envs[0]], 3)
        for (let step = 0; step < 12; step++) {
          if (step === 2) envs[1].reset(21)
          seen.push(stepAll(envs, step), envs.map(shown))
        }
        return { seen, restarts }
      }
      const untouched = await course({}, 'team')
      assert.deepEqual(untouched.restarts, [])
      for (const where of [what, `${what} in reset`]) {
        const { seen, restarts } = await course({ what: where, once: markerFile(t) })
        assert.deepEqual(seen, untouched.seen, where)
        assert.equal(restarts.length, 1, restarts.join('\n'))
        assert.match(restarts[0], lost[what])
        assert.match(
          restarts[0],
          /^the Python of 3 environments .*: it was started again, and their episodes were brought back/,
        )
      }
    },
  )
}

test('environments made at the same time share one process', { skip: missing }, async (t) => {
  const folder = join(dirname(markerFile(t)), 'pids')
  mkdirSync(folder)
  // Starts a separate process to read the spec of the environment.
  const factory = await loadEnvFactory(pythonEnv('team', { pids: folder }))
  const context = new EnvContext()
  for (const processes of [2, 3]) {
    const envs = await Promise.all([1, 2, 3].map(() => factory.create(context)))
    assert.equal(readdirSync(folder).length, processes)
    for (const env of envs) env.dispose!()
  }
})

test(
  'a step that always loses the process is broken for one environment; the others complete theirs',
  { skip: missing },
  async (t) => {
    const course = async (name: string, kwargs: Record<string, unknown>) => {
      const { envs, restarts } = await makePython(t, pythonEnv(name, kwargs), 3)
      envs.forEach((env, k) => env.reset(k + 5))
      for (let step = 0; step < 6; step++) stepAll(envs, step)
      return { envs, restarts }
    }
    const { envs, restarts } = await course('breaking', { what: 'die', every: 6 })
    const { envs: team } = await course('team', {})
    envs.forEach((env, k) => env.actions.forEach((action) => action.fill(k / 4)))
    team.forEach((env, k) => env.actions.forEach((action) => action.fill(k / 4)))
    for (const env of [...envs, ...team]) env.submit!()
    assert.equal(envs[0].step(), RUNNING)
    assert.throws(
      () => envs[1].step(),
      (error: Error) => {
        assert.ok(error instanceof BrokenStepError)
        assert.match(error.message, /: its Python was killed by SIGKILL, twice in this step$/)
        return true
      },
    )
    assert.equal(envs[2].step(), RUNNING)
    assert.equal(restarts.length, 2)
    team.forEach((env) => env.step())
    assert.deepEqual(
      [0, 2].map((k) => shown(envs[k])),
      [0, 2].map((k) => shown(team[k])),
    )
    assert.throws(() => envs[1].step(), /no episode is running: reset must come before step$/)
    for (const both of [envs, team]) both[1].reset(5)
    for (let step = 0; step < 3; step++) assert.deepEqual(stepAll(envs, step), stepAll(team, step))
    assert.deepEqual(envs.map(shown), team.map(shown))

    const { envs: dying } = await makePython(t, pythonEnv('breaking', { what: 'die in reset', every: 1 }))
    assert.throws(
      () => dying[0].reset(21),
      (error: Error) => {
        assert.ok(error instanceof HatrpoError && !(error instanceof BrokenStepError))
        assert.match(error.message, /: its Python was killed by SIGKILL, twice in reset\(seed=21\)$/)
        return true
      },
    )
  },
)

test('output and input of an environment do not affect the messages', { skip: missing }, async (t) => {
  const course = async (name: string) => {
    const { envs } = await makePython(t, pythonEnv(name))
    envs[0].reset(2)
    return Array.from({ length: 5 }, (_, step) => [...stepAll(envs, step), shown(envs[0])])
  }
  assert.deepEqual(await course('loud'), await course('team'))
})

test(
  'errors of Python are one line with the position, followed by the traceback',
  { skip: missing },
  async (t) => {
    const { envs } = await makePython(t, pythonEnv('breaking', { what: 'throw', every: 2 }), 2)
    const [even, odd] = envs
    even.reset(4)
    odd.reset(3)
    for (let step = 0; step < 6; step++) stepAll(envs, step)
    for (const env of envs) env.submit!()
    assert.throws(
      () => even.step(),
      (error: Error) => {
        assert.ok(error instanceof BrokenStepError)
        assert.match(
          error.message,
          /^pettingzoo:.*games\.py:breaking: ValueError: the wheel came off \(games\.py:\d+\)$/,
        )
        assert.match((error.cause as Error).stack!, /^Traceback[^]*in break_down[^]*the wheel\ncame off$/)
        return true
      },
    )
    assert.equal(odd.step(), RUNNING)
  },
)

test(
  'a wrong id, option or environment is reported in one line, usage errors with exit code 2',
  { skip: missing },
  async () => {
    const wrong = (what: string) => pythonEnv('wrong', { what })
    const team = { id: pythonId('team') }
    const cases: [config: Parameters<typeof loadEnvFactory>[0], code: 1 | 2, message: RegExp][] = [
      [
        { id: 'pettingzoo:' },
        2,
        /it must be pettingzoo:MODULE:FACTORY, such as .*, or pettingzoo:FILE\.py:FACTORY$/,
      ],
      [{ id: 'pettingzoo:a b' }, 2, /it must be pettingzoo:MODULE:FACTORY/],
      [{ id: 'pettingzoo:no_such_module.sub:make' }, 2, /there is no module no_such_module for \S*python/],
      [{ id: 'pettingzoo:json.decode' }, 2, /no module json\.decode for \S+: did you mean json\.decoder\? /],
      [{ id: 'pettingzoo:no_such_file.py' }, 2, /there is no file \/.*no_such_file\.py$/],
      [{ id: pythonId('tame') }, 2, /module games has no tame: did you mean team\?$/],
      [{ id: 'pettingzoo:json:xyz' }, 2, /module json has no xyz: it has JSONDecodeError, .*dumps/],
      [{ id: pythonId('VALUES') }, 2, /VALUES is dict: it must be a function or a class$/],
      [
        { ...team, python: 'no-such-python' },
        2,
        /env\.python is "no-such-python" and there is no such program/,
      ],
      [{ ...team, python: '/bin/false' }, 1, /\/bin\/false exited with code 1 while it made an environment$/],
      [{ ...team, python: 3 }, 2, /^env\.python is 3: it must name a program/],
      [{ ...team, kwargs: '{"N":' }, 2, /^env\.kwargs is "\{\\"N\\":": it must be a JSON object/],
      [{ ...team, kwargs: '[1]' }, 2, /^env\.kwargs is "\[1\]": it must be a JSON object/],
      [
        { ...team, kwargs: '{"N":3}' },
        1,
        /team\(N=3\) failed: TypeError: .*unexpected keyword argument 'N' \(games\.py:\d+\)$/,
      ],
      [{ ...team, rewards: 'max' }, 2, /^env\.rewards is "max": it must be one of sum, mean, each$/],
      [
        { ...team, timeLimit: -1 },
        2,
        /^env\.timeLimit is -1: it must be a whole number of steps, 0 for none, or auto$/,
      ],
      [
        { ...team, python: '/etc/passwd/python3' },
        2,
        /env\.python is "\/etc\/passwd\/python3" and there is no such program: it must name a Python/,
      ],
      [{ ...team, timeout: 0 }, 2, /^env\.timeout is 0: it must be a number of seconds above 0$/],
      [
        { ...team, reward: 'sum' },
        2,
        /^unknown option env\.reward of .*: there are kwargs, python, rewards, timeLimit, timeout$/,
      ],
      [
        { id: pythonId('Discrete'), kwargs: '{"n":2}' },
        2,
        /Discrete made Discrete, which is no PettingZoo environment$/,
      ],
      [
        pythonEnv('turns', { parallelizable: false }),
        2,
        /Turns lets its agents act in turn \(AEC\) and .* no is_parallelizable: name what makes its parallel form/,
      ],
      [wrong('no agents'), 2, /possible_agents is missing or empty: it must name all agents$/],
      [wrong('no step'), 2, /it has no step\(\)$/],
      [wrong('graph'), 1, /the observation of left: Graph is not supported: it must be Box, /],
      [wrong('empty'), 1, /the observation space of left is empty$/],
      [wrong('old reset'), 1, /reset\(\) returned dict: it must return \(observations, infos\)$/],
      [wrong('length'), 1, /the observation of left: it has 3 numbers where its space has 2$/],
      [wrong('text'), 1, /the observation of left: it holds the text 'far' where numbers belong$/],
      [wrong('unseen'), 1, /there is no observation of left, which plays$/],
      [wrong('empty mask'), 1, /the action_mask of left allows nothing$/],
      [wrong('long mask'), 1, /the action_mask of left has 3 entries where it has 2 choices$/],
    ]
    await Promise.all(
      cases.map(([config, exitCode, message]) =>
        assert.rejects(loadEnvFactory(config), (error: Error) => {
          assert.ok(error instanceof HatrpoError, String(error))
          assert.match(error.message, message)
          assert.ok(!error.message.includes('\n'))
          assert.equal(error.exitCode, exitCode, error.message)
          return true
        }),
      ),
    )
    const first = async (what: string, message: RegExp, act: (env: MultiAgentEnv) => unknown) => {
      const factory = await loadEnvFactory(wrong(what))
      const env = await factory.create(new EnvContext())
      try {
        assert.throws(
          () => act(env),
          (error: Error) => {
            assert.ok(error instanceof HatrpoError && !(error instanceof BrokenStepError), String(error))
            assert.match(error.message, message)
            return true
          },
        )
      } finally {
        env.dispose!()
      }
    }
    const step = (env: MultiAgentEnv) => (env.reset(1), env.step())
    await first(
      'old step',
      /step\(\) returned a tuple of 4: it must return \(observations, rewards, terminations, /,
      step,
    )
    await first('no reward', /step\(\) returned no reward of left$/, step)
    await first('late mask', /left has an action_mask now, and had none after the first reset\(\)$/, step)
  },
)

test(
  'a file is identified by its digest, and a run is not resumed with another',
  { skip: missing },
  async () => {
    const config = pythonEnv('team')
    const { sha256 } = await loadEnvFactory(config)
    const file = config.id.split(':')[1]
    assert.equal(sha256, createHash('sha256').update(readFileSync(file)).digest('hex'))
  },
)
