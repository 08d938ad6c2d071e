import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { MjData, MjModel } from '@mujoco/mujoco'
import {
  defineMujocoTeam,
  EnvContext,
  PhysicsError,
  RUNNING,
  TERMINATED,
  TRUNCATED,
  type Box,
  type MujocoTeam,
  type MultiAgentEnv,
  type Reading,
  type TeamScene,
} from '../../src/envs/index.js'
import { CRAWLER, writeFiles } from './team-model.js'

type Options = Readonly<Record<string, string | number | boolean>>

const context = new EnvContext()

/** A team of the crawler, of two agents, with a reward of 0. */
function crawler(t: TestContext, team: Partial<MujocoTeam> = {}): MujocoTeam {
  return {
    model: join(writeFiles(t, CRAWLER), 'robot.xml'),
    agents: { front: ['front', 'knee_front'], back: ['hip_back', 'pull'] },
    reward: () => 0,
    ...team,
  }
}

function make(t: TestContext, team: Partial<MujocoTeam> = {}, options: Options = {}): Promise<MultiAgentEnv> {
  return defineMujocoTeam(crawler(t, team))(options, context)
}

/** Error of making a team: one line, and a usage error. */
async function refusal(t: TestContext, team: object, options: Options = {}): Promise<string> {
  try {
    await make(t, team, options)
  } catch (error) {
    const { name, message, exitCode } = error as Error & { exitCode: number }
    assert.equal(name, 'HatrpoError', message)
    assert.equal(exitCode, 2, message)
    assert.doesNotMatch(message, /\n/)
    return message
  }
  assert.fail('it was not refused')
}

/** Takes steps with actions that differ from step to step and from agent to agent. */
function play(env: MultiAgentEnv, steps: number, from = 0): number[] {
  const ends: number[] = []
  for (let step = from; step < from + steps; step++) {
    env.actions.forEach((action, k) => action.forEach((_, j) => (action[j] = Math.sin(step + 3 * k + 5 * j))))
    ends.push(env.step())
  }
  return ends
}

/** All that an environment shows. */
const seen = (env: MultiAgentEnv) =>
  [...env.observations, env.state, env.rewards].map((view) => Array.from(view))

test('unknown names of a model are refused with the existing ones, the closest first', async (t) => {
  const wrong: [team: Partial<Record<keyof MujocoTeam, unknown>>, ...words: string[]][] = [
    [
      { agents: [['frond', 'knee_front', 'hip_back', 'pull']] },
      'no actuator frond; its actuators are front, ',
    ],
    [{ agents: [['#4', 'front']] }, 'no actuator #4'],
    [{ observe: ['own', 'sensor:velosity'] }, 'observe: ', 'no sensor velosity; its sensors are velocity, '],
    [{ observe: ['qpos:hip'] }, 'no joint hip; its joints are '],
    [{ observe: ['xpos:torso'] }, 'no body torso; its bodies are ', 'shin_back'],
    [{ observe: ['pos:hull'] }, 'no field pos; the fields are qpos, xpos'],
    [{ observe: ['mine'] }, 'no field mine'],
    [{ observe: ['own', 'neighbors'] }, 'observe: there is no neighbors: did you mean neighbours?'],
    [{ observe: ['act:front'] }, 'actuator front has no act'],
    [{ observe: ['mocap_pos:hull'] }, 'body hull has no mocap_pos'],
    [{ observe: ['ten_length:cable[1]'] }, 'ten_length:cable[1]', '[0:1]'],
    [{ observe: ['xpos:hull[2:2]'] }, 'xpos:hull[2:2]', '[0:3]'],
    [{ state: ['sensor:speed'] }, 'state: ', 'no sensor speed'],
    [{ keyframe: 'lowest' }, 'keyframe=lowest', 'no keyframe lowest; its keyframes are low, high'],
    [{ keep: ['xpos:head'] }, 'no body head'],
    [{ reward: ({ read }: TeamScene) => read('sensor:gyro')[0] }, 'sensor:gyro', 'no sensor gyro'],
    [{ terminated: ({ read }: TeamScene) => read('sensor:gyro')[0] > 0 }, 'no sensor gyro'],
  ]
  for (const [team, ...words] of wrong) {
    const message = await refusal(t, team)
    for (const word of words) assert.ok(message.includes(word), `${message} lacks ${word}`)
  }
})

test('an omitted or repeated actuator is refused, and so is a wrong format', async (t) => {
  const wrong: [team: Partial<Record<keyof MujocoTeam, unknown>>, ...words: string[]][] = [
    [{ agents: { a: ['front', 'knee_front'] } }, 'agents: no agent has the actuators hip_back, pull'],
    [
      { agents: { a: ['front', 'pull'], b: ['knee_front', 'front', 'hip_back'] } },
      'actuator front is given to both a and b',
    ],
    [
      { agents: [['front', 'knee_front', 'hip_back', 'pull', '#0']] },
      'actuator #0 is given twice to agent_0',
    ],
    [{ agents: {} }, 'agents: must be a list of actuators for each agent'],
    [{ agents: { a: [] } }, 'agents: must be'],
    [{ agents: 'front' }, 'agents=front: must be'],
    [{ observe: { front: ['own'] } }, 'observe: must be', 'each of front, back'],
    [{ observe: { front: ['own'], back: ['own'], tail: ['own'] } }, 'each of front, back'],
    [{ observe: [] }, 'observe: must be'],
    [{ frames: 0 }, 'frames=0: must be a whole number from 1'],
    [{ timeLimit: 2.5 }, 'timeLimit=2.5'],
    [{ resetNoise: -1 }, 'resetNoise=-1: must be a number from 0'],
    [{ resetNoise: { position: 1 } }, 'resetNoise: must be'],
    [{ controlScale: 0 }, 'controlScale=0: must be a number above 0'],
    [{ reward: undefined }, 'reward: must be a function'],
    [{ terminated: true }, 'terminated: must be a function'],
    [{ model: './robot.xml' }, "model=./robot.xml: must be new URL('./robot.xml', import.meta.url)"],
    [{ model: new URL('https://example.org/robot.xml') }, 'model: must be'],
  ]
  for (const [team, ...words] of wrong) {
    const message = await refusal(t, team)
    for (const word of words) assert.ok(message.includes(word), `${message} lacks ${word}`)
  }
  const typo = { timelimit: 100 } as Partial<Record<keyof MujocoTeam, unknown>>
  assert.match(await refusal(t, typo), /timelimit=100: no such key; keys are timeLimit, /)
  assert.match(await refusal(t, {}, { frame: 2 }), /^env\.frame=2: no such option; options are frames, /)
  assert.match(await refusal(t, {}, { frames: 'two' }), /^env\.frames=two: must be a whole number/)
  assert.match(
    await refusal(t, {}, { agents: 'front,knee_front' }),
    /^env\.agents=front,knee_front: no agent has/,
  )
  assert.match(await refusal(t, {}, { observe: 'own/own/own' }), /^env\.observe=.* has 3 lists for 2 agents/)
})

test('observations have the values of those names in MuJoCo', async (t) => {
  const views: Reading[] = [
    'qpos:root[3:7]',
    'qvel:knee_back',
    'sensor:velocity',
    'sensor:acceleration',
    'sensor:knee',
    'xpos:shin_front',
    'xquat:hull',
    'geom_xpos:foot_back',
    'site_xpos:#0',
    'subtree_com:hull',
    'cvel:ball',
    'ten_length:cable',
    'actuator_force',
    'act:pull',
    'ctrl:knee_front',
    'mocap_pos:target[0]',
  ]
  const env = await make(t, { observe: views, state: ['qpos', 'qvel', 'sensor'], frames: 3, resetNoise: 0 })
  const { model } = await context.modelFile(crawler(t).model as string)
  const { api } = model.mujoco
  const data = new api.MjData(model.handle)
  const id = (type: number, name: string) => api.mj_name2id(model.handle, type, name)
  const [body, joint, geom] = [1, 3, 5]
  const expected = () => {
    const at = (array: unknown, from: number, count: number) =>
      Array.from((array as Float64Array).subarray(from, from + count))
    const dof = (model.handle.jnt_dofadr as Int32Array)[id(joint, 'knee_back')]
    return [
      ...at(data.qpos, (model.handle.jnt_qposadr as Int32Array)[id(joint, 'root')] + 3, 4),
      ...at(data.qvel, dof, 1),
      ...at(data.sensordata, 0, 6),
      ...at(data.sensordata, 7, 1),
      ...at(data.xpos, 3 * id(body, 'shin_front'), 3),
      ...at(data.xquat, 4 * id(body, 'hull'), 4),
      ...at(data.geom_xpos, 3 * id(geom, 'foot_back'), 3),
      ...at(data.site_xpos, 0, 3),
      ...at(data.subtree_com, 3 * id(body, 'hull'), 3),
      ...at(data.cvel, 6 * id(body, 'ball'), 6),
      ...at(data.ten_length, 0, 1),
      ...at(data.actuator_force, 0, 4),
      ...at(data.act, 0, 1),
      ...at(data.ctrl, 1, 1),
      ...at(data.mocap_pos, 0, 1),
    ].map(Math.fround)
  }
  api.mj_resetDataKeyframe(model.handle, data, 0)
  api.mj_forward(model.handle, data)
  env.reset(5)
  assert.deepEqual(Array.from(env.observations[0]), expected())
  for (let step = 0; step < 10; step++) {
    play(env, 1, step)
    const [front, back] = env.actions
    const unit = [front[0], front[1], back[0], back[1]]
    const controls = [2 * unit[0], 0.5 + unit[1], unit[2], unit[3]]
    ;(data.ctrl as Float64Array).set(controls)
    for (let frame = 0; frame < 3; frame++) api.mj_step(model.handle, data)
    assert.deepEqual(Array.from(env.observations[0]), expected(), `step ${step}`)
    assert.deepEqual(env.observations[1], env.observations[0])
  }
  const all = [data.qpos, data.qvel, data.sensordata].flatMap((array) => Array.from(array as Float64Array))
  assert.deepEqual(Array.from(env.state), all.map(Math.fround))
  data.delete()
  env.dispose!()
})

/** qpos and qvel of joints, by the names of the crawler, in its starting state plus its number. */
async function lookAt(t: TestContext, view: string): Promise<number[][]> {
  const numbered: MujocoTeam['start'] = ({ write }) => {
    write('qpos').forEach((_, i, qpos) => (qpos[i] = i))
    write('qvel').forEach((_, i, qvel) => (qvel[i] = 100 + i))
  }
  const env = await make(t, { start: numbered, keyframe: 'none', resetNoise: 0 }, { observe: view })
  env.reset(0)
  const found = env.observations.map((observation) => Array.from(observation))
  env.dispose!()
  return found
}

test('own, neighbours, others, base and all select the documented joints', async (t) => {
  // qpos: root 0-6, hip_front 7, knee_front 8, hip_back 9, knee_back 10, ball 11-17; qvel: 6, 1, 1, 1, 1, 6.
  const front = [7, 8, 106, 107]
  const back = [9, 10, 108, 109]
  assert.deepEqual(await lookAt(t, 'own'), [front, back])
  assert.deepEqual(await lookAt(t, 'others'), [back, front])
  // The hips are both on the hull; the knees share no link with the other leg.
  assert.deepEqual(await lookAt(t, 'neighbours'), [
    [9, 108],
    [7, 106],
  ])
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  const base = [...range(2, 7), ...range(11, 18), ...range(100, 106), ...range(110, 116)]
  assert.deepEqual(await lookAt(t, 'base'), [base, base])
  // Of the robot, not of the ball, the place on the ground is left out.
  const all = [...range(2, 18), ...range(100, 116)]
  assert.deepEqual(await lookAt(t, 'all'), [all, all])
  assert.deepEqual(await lookAt(t, 'own/base'), [front, base])
})

test('the state has all joints, then the other readings of agents, once each', async (t) => {
  const env = await make(t, { observe: ['own', 'sensor:touch', 'xpos:hull[0]'] })
  const all = 18 - 2 + 16
  assert.equal(env.spec.stateSize, all + 2)
  env.reset(3)
  play(env, 4)
  assert.deepEqual(Array.from(env.state.subarray(all)), Array.from(env.observations[0].subarray(4)))
  const narrow = await make(t, { state: ['sensor:velocity', 'sensor'] })
  assert.equal(narrow.spec.stateSize, 3 + 3 + 1 + 1)
})

test('separate arms have no neighbours, and passive joints are skipped', async (t) => {
  const link = (name: string, inside = '', joint = name) =>
    `<body name="${name}" pos="0 0 0.3"><joint name="${joint}" axis="0 1 0"/><geom size="0.1"/>${inside}</body>`
  const model = (bodies: string, joints: readonly string[]) =>
    join(
      writeFiles(t, {
        'm.xml': `<mujoco><worldbody>${bodies}</worldbody><actuator>${joints
          .map((name) => `<motor joint="${name}"/>`)
          .join('')}</actuator></mujoco>`,
      }),
      'm.xml',
    )
  const sizes = async (path: string, agents: string[][]) => {
    const env = await make(t, { model: path, agents, observe: ['neighbours', 'ctrl:#0'] })
    return env.observations.map(({ length }) => (length - 1) / 2)
  }
  const arms = model(link('a', link('b')) + link('c', link('d')), ['a', 'b', 'c', 'd'])
  assert.deepEqual(
    await sizes(arms, [
      ['a', 'b'],
      ['c', 'd'],
    ]),
    [0, 0],
  )
  assert.deepEqual(await sizes(arms, [['a'], ['b', 'c', 'd']]), [1, 1])
  const passive = model(link('a', link('p', link('b', link('c')))), ['a', 'b', 'c'])
  assert.deepEqual(await sizes(passive, [['a'], ['b'], ['c']]), [1, 2, 1])
})

test('actions span the control ranges, or are scaled on request', async (t) => {
  const bounds = (env: MultiAgentEnv) =>
    env.spec.agents.map(({ action }) => [Array.from((action as Box).low), Array.from((action as Box).high)])
  const controls = (env: MultiAgentEnv, action: number) => {
    env.reset(0)
    for (const view of env.actions) view.fill(action)
    env.step()
    return Array.from(env.state)
  }
  const spanning = await make(t, { state: ['ctrl'] })
  assert.deepEqual(bounds(spanning), [
    [
      [-1, -1],
      [1, 1],
    ],
    [
      [-Infinity, -1],
      [Infinity, 1],
    ],
  ])
  assert.deepEqual(controls(spanning, 1), [2, 1.5, 1, 1])
  assert.deepEqual(controls(spanning, -0.5), [-1, 0, -0.5, -0.5])
  const scaled = await make(t, { state: ['ctrl'], controlScale: 0.5 })
  assert.deepEqual(bounds(scaled)[0], [
    [-4, -1],
    [4, 3],
  ])
  assert.deepEqual(controls(scaled, 1), [0.5, 0.5, 0.5, 0.5])
})

test('an action of NaN is a physics fault that names it', async (t) => {
  const env = await make(t)
  env.reset(0)
  env.actions[1][1] = NaN
  assert.throws(() => env.step(), {
    name: 'PhysicsError',
    quantity: 'action',
    message: 'robot: the action of back for pull is NaN',
  })
  assert.throws(() => env.step(), /outside an episode/)
  env.reset(0)
  env.actions[1][1] = 0
  assert.equal(env.step(), RUNNING)
})

test('a diverging world is a physics fault', async (t) => {
  const env = await make(t, { start: ({ write }) => void (write('qvel')[0] = 1e12) })
  env.reset(0)
  assert.throws(
    () => env.step(),
    (error) => error instanceof PhysicsError && /velocity/.test(error.message),
  )
  env.dispose!()
})

test('the functions read the result of a step, and determine its reward and end', async (t) => {
  const found: number[][] = []
  const env = await make(t, {
    keep: ['xpos:hull', 'ctrl'],
    frames: 4,
    timeLimit: 6,
    observe: ['xpos:hull'],
    reward: ({ read, before, steps, stepSeconds }) => {
      found.push([
        steps,
        stepSeconds,
        ...[before('xpos:hull'), read('xpos:hull'), before('ctrl')].flatMap((x) => [x[2]]),
      ])
      return 10 * steps + read('sensor:knee')[0]
    },
    terminated: ({ read, steps }) => steps === 3 && read('ctrl')[0] > 0.5,
  })
  const heights: number[] = []
  env.reset(1)
  heights.push(env.observations[0][2])
  found.length = 0
  for (const view of env.actions) view.fill(0)
  for (let step = 1; step <= 6; step++) {
    assert.equal(env.step(), step === 6 ? TRUNCATED : RUNNING)
    heights.push(env.observations[0][2])
    assert.ok(Math.abs(env.rewards[0] - 10 * step) < 2)
    assert.equal(env.rewards[1], env.rewards[0])
  }
  found.forEach(([steps, seconds, then, now], i) => {
    assert.deepEqual([steps, seconds], [i + 1, 0.04])
    assert.deepEqual([then, now].map(Math.fround), heights.slice(i, i + 2))
  })
  assert.throws(() => env.step(), /outside an episode/)
  env.reset(1)
  env.actions[0][0] = 0.5
  assert.deepEqual([env.step(), env.step(), env.step()], [RUNNING, RUNNING, TERMINATED])
})

test('functions with invalid results are named', async (t) => {
  const wrong: [team: object, message: string][] = [
    [{ reward: () => undefined }, 'robot: reward returned undefined: it must return a number'],
    [{ reward: async () => 1 }, 'robot: reward returned a promise: it must return a number'],
    [{ terminated: () => 1 }, 'robot: terminated returned 1: it must return true or false'],
    [{ reward: () => (undefined as unknown as number[])[0] }, 'robot: reward failed: Cannot read properties'],
    [{ start: () => assert.fail('no place') }, 'robot: start failed: no place'],
    [
      { reward: ({ before }: TeamScene) => before('qpos')[0] },
      "robot: before('qpos'): list it in keep, which has nothing",
    ],
    [
      { start: ({ write }: { write: (what: string) => Float64Array }) => write('xpos:hull').fill(0) },
      "robot: write('xpos:hull'): only qpos, qvel, act, ctrl, mocap_pos, mocap_quat can be written",
    ],
  ]
  for (const [team, message] of wrong) {
    await assert.rejects(make(t, team), (error: Error) => {
      assert.equal(error.name, 'HatrpoError')
      assert.ok(error.message.startsWith(message), error.message)
      return true
    })
  }
})

test('episodes start from the keyframe, within the noise, and equal for a seed', async (t) => {
  const start = async (team: Partial<MujocoTeam>, seed: number) => {
    const env = await make(t, { state: ['qpos', 'qvel'], ...team })
    env.reset(seed)
    const state = Array.from(env.state)
    play(env, 3)
    env.reset(seed)
    assert.deepEqual(Array.from(env.state), state, 'an episode leaves nothing behind')
    env.dispose!()
    return state
  }
  const ball = [1, 0, 0.1, 1, 0, 0, 0]
  const rest = new Array<number>(16).fill(0)
  const low = [0, 0, 0.3, 1, 0, 0, 0, 0.1, 0.2, 0.3, 0.4, ...ball, ...rest].map(Math.fround)
  const exact = await start({ resetNoise: 0 }, 1)
  assert.deepEqual(exact, low)
  const high = [0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, ...ball, 0, 0, -1, ...rest.slice(3)].map(Math.fround)
  assert.deepEqual(await start({ resetNoise: 0, keyframe: 'high' }, 1), high)
  const noisy = await start({ resetNoise: { position: 0.1, velocity: 0.3 } }, 1)
  assert.deepEqual(await start({ resetNoise: { position: 0.1, velocity: 0.3 } }, 1), noisy)
  assert.notDeepEqual(await start({ resetNoise: { position: 0.1, velocity: 0.3 } }, 2), noisy)
  noisy.forEach((x, i) => {
    // A quaternion's numbers move a little further when it is brought to length 1.
    const bound = i >= 18 ? 0.3 : [3, 14].includes(i) ? 0.2 : 0.12
    assert.ok(Math.abs(x - exact[i]) <= bound + 1e-6, `${i}: ${x} from ${exact[i]}`)
  })
  assert.ok(Math.max(...noisy.slice(18).map(Math.abs)) > 0.15)
  const length = Math.sqrt(noisy.slice(3, 7).reduce((sum, x) => sum + x * x, 0))
  assert.ok(Math.abs(length - 1) < 1e-6)
})

test('a saved state continues to the same bits, including sensors, also in another environment', async (t) => {
  const team: Partial<MujocoTeam> = {
    observe: ['own', 'sensor', 'xpos:hull', 'cvel:shin_back', 'actuator_force', 'act'],
    keep: ['sensor:acceleration', 'xpos:hull'],
    reward: ({ read, before, steps }) =>
      read('sensor:velocity')[0] + before('sensor:acceleration')[1] + before('xpos:hull')[0] + steps,
    resetNoise: 0.05,
    timeLimit: 30,
  }
  const env = await make(t, team)
  env.reset(11)
  play(env, 12)
  const saved = env.saveState!()
  const there = seen(env)
  const ends = play(env, 18, 12)
  assert.equal(ends.at(-1), TRUNCATED)
  const later = seen(env)
  const other = await make(t, team)
  for (const restored of [env, other]) {
    restored.loadState!(saved)
    assert.deepEqual(seen(restored), there)
    assert.deepEqual(play(restored, 18, 12), ends)
    assert.deepEqual(seen(restored), later)
  }
  const changed = await make(t, { ...team, frames: 4 })
  assert.throws(() => changed.loadState!(saved), /another environment's/)
  assert.throws(() => env.loadState!(saved.subarray(8)), /bytes/)
})

test('steps submitted together equal those made one by one', async (t) => {
  const together = [
    await make(t, { observe: ['all', 'sensor'] }),
    await make(t, { observe: ['all', 'sensor'] }),
  ]
  const alone = await make(t, { observe: ['all', 'sensor'] })
  together.forEach((env, k) => env.reset(k))
  for (let step = 0; step < 5; step++) {
    for (const env of together) {
      env.actions.forEach((action, k) => action.fill(0.1 * step + k))
      env.submit!()
    }
    assert.throws(() => together[0].saveState!(), /between submit\(\) and step\(\)/)
    for (const env of together) env.step()
  }
  together.forEach((env, k) => {
    alone.reset(k)
    for (let step = 0; step < 5; step++) {
      alone.actions.forEach((action, agent) => action.fill(0.1 * step + agent))
      alone.step()
    }
    assert.deepEqual(seen(env), seen(alone))
  })
})

test('options of the command override the definition', async (t) => {
  const env = await make(
    t,
    { frames: 2, timeLimit: 50 },
    {
      frames: 7,
      agents: 'pull,hip_back/front/knee_front',
      observe: 'own,sensor:knee',
      resetNoise: '0,0.5',
      keyframe: 'high',
    },
  )
  assert.deepEqual(
    env.spec.agents.map(({ id, action, observation }) => [id, (action as Box).size, observation.size]),
    [
      ['agent_0', 2, 5],
      ['agent_1', 1, 3],
      ['agent_2', 1, 3],
    ],
  )
  assert.equal(env.spec.timeLimit, 50)
  assert.ok(Math.abs(env.spec.stepSeconds! - 0.07) < 1e-12)
  assert.equal(env.spec.mode, 'cooperative')
})

test('a team keeps working after the memory of MuJoCo has grown', async (t) => {
  const own = new EnvContext()
  const team = crawler(t, { reward: ({ read }) => read('sensor:knee')[0], keep: ['qpos'] })
  const env = await defineMujocoTeam(team)({}, own)
  env.reset(0)
  const mujoco = await own.mujoco()
  const before = mujoco.doubles()
  const worlds: MjData[] = []
  const { model } = await own.modelFile(team.model as string)
  const handle: MjModel = model.handle
  while (mujoco.doubles() === before) worlds.push(new mujoco.api.MjData(handle))
  play(env, 5)
  const fresh = await defineMujocoTeam(team)({}, context)
  fresh.reset(0)
  play(fresh, 5)
  assert.deepEqual(seen(env), seen(fresh))
  assert.ok(env.rewards[0] !== 0)
  for (const world of worlds) world.delete()
})
