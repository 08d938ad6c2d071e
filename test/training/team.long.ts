import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvContext, listEnvs, loadEnvFactory, makeEnvFactory } from '../../src/envs/index.js'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import type { EvaluateResult } from '../../src/training/evaluate.js'
import { hatrpo, MAIN } from '../cli/command.js'
import { CRAWLER, writeFiles } from '../envs/team-model.js'
import { temporaryDirectory, tiny, tinyConfig, trained } from './runs.js'

const ROOT = join(import.meta.dirname, '../../..')
const EXAMPLE = join(ROOT, 'examples/crawler')

/** A task for the crawler: the env.reward of `mamujoco/custom`, and the same as a module. */
const TASK: Readonly<Record<string, string>> = {
  'reward.ts': `import type { Reading, TeamScene } from 'hatrpo/env'
export const keep: Reading[] = ['xpos:hull']
export function reward({ read, before, stepSeconds }: TeamScene): number {
  return (read('xpos:hull')[0] - before('xpos:hull')[0]) / stepSeconds - 0.1 * read('sensor:touch')[0]
}
export const terminated = ({ read }: TeamScene): boolean => read('xpos:hull[2]')[0] < 0.05
`,
  'team.ts': `import { defineMujocoTeam } from 'hatrpo/env'
import { keep, reward, terminated } from './reward.ts'
export default defineMujocoTeam({
  model: new URL('./robot.xml', import.meta.url),
  agents: [['front', 'knee_front'], ['hip_back', 'pull']],
  observe: { agent_0: ['own', 'neighbours', 'sensor:velocity'], agent_1: ['base', 'own'] },
  frames: 3,
  timeLimit: 30,
  resetNoise: { position: 0.02, velocity: 0.1 },
  keep, reward, terminated,
})
`,
}

/** The same team, from options. */
const OPTIONS = [
  'env.model=./robot.xml',
  'env.agents=front,knee_front/hip_back,pull',
  'env.observe=own,neighbours,sensor:velocity/base,own',
  'env.reward=./reward.ts',
  'env.frames=3',
  'env.timeLimit=30',
  'env.resetNoise=0.02,0.1',
]

const project = (t: TestContext) => writeFiles(t, { ...CRAWLER, ...TASK })

/** Episodes take 30 steps and rollouts 20: checkpoints fall into the middle of episodes. */
const ITERATIONS = 6
const settings = [...tiny, 'checkpoint.every=1', `steps=${ITERATIONS * 80}`]
const training = (env: string, out: string, ...set: string[]) => [
  ...['train', '--env', env, '--algo', 'hatrpo', '--out', out],
  ...['--set', ...settings, ...set],
]

/** The digest that a training ends with. */
function digest({ code, stdout, stderr }: ReturnType<typeof hatrpo>): string {
  assert.equal(code, 0, stderr)
  return /^parameters sha256 [0-9a-f]{64}$/m.exec(stdout)![0]
}

test('the example learns from the same bits with 1 and 2 workers', async (t) => {
  const config = tinyConfig({ id: join(EXAMPLE, 'team.ts') }, 2)
  const one = await trained(t, config, { workers: 1 })
  const two = await trained(t, config, { workers: 2 })
  assert.equal(one.parametersSha256, two.parametersSha256)
  assert.equal(one.records.length, 2)
  assert.deepEqual(
    one.records[1].agents.map(({ id }) => id),
    ['front', 'middle', 'rear'],
  )
})

test('a team of options and a team of a module train to the same bits, killed or not', async (t) => {
  const cwd = project(t)
  const whole = digest(hatrpo([...training('./team.ts', 'module'), '--workers', '2'], cwd))
  const custom = training('mamujoco/custom', 'custom', ...OPTIONS)
  const child = spawn(process.execPath, [MAIN, ...custom], { cwd, stdio: 'ignore', detached: true })
  const ended = once(child, 'close')
  while (child.exitCode === null && !listCheckpoints(join(cwd, 'custom')).includes(3)) await sleep(1)
  assert.equal(child.exitCode, null, 'the run ended before it could be killed')
  process.kill(-child.pid!, 'SIGKILL')
  await ended
  assert.ok(!existsSync(join(cwd, 'custom', 'result.json')), 'the run ended before it could be killed')

  // From another folder: the paths in config.json start from the project's.
  const resumed = hatrpo(['train', '--resume', join(cwd, 'custom')], temporaryDirectory(t))
  assert.match(resumed.stderr, /resuming from checkpoint/)
  assert.equal(digest(resumed), whole)
  const { env } = JSON.parse(readFileSync(join(cwd, 'custom', 'config.json'), 'utf8')) as { env: object }
  assert.deepEqual(env, {
    id: 'mamujoco/custom',
    model: './robot.xml',
    reward: './reward.ts',
    agents: 'front,knee_front/hip_back,pull',
    observe: 'own,neighbours,sensor:velocity/base,own',
    frames: 3,
    timeLimit: 30,
    resetNoise: '0.02,0.1',
  })
})

test('a run with a changed model is not resumed', (t) => {
  const cwd = project(t)
  for (const [env, out, ...set] of [
    ['./team.ts', 'module'],
    ['mamujoco/custom', 'custom', ...OPTIONS],
  ]) {
    digest(hatrpo(training(env, out, ...set), cwd))
    for (const file of ['assets/meshes/hull.obj', 'parts/legs.xml', 'reward.ts']) {
      const path = join(cwd, file)
      const before = readFileSync(path)
      appendFileSync(path, '\n')
      const refused = hatrpo(['train', '--resume', out, '--steps', '960'], cwd)
      writeFileSync(path, before)
      assert.equal(refused.code, 2, refused.stderr)
      assert.ok(refused.stderr.includes(`was changed since ${out} was started`), `${file}: ${refused.stderr}`)
    }
  }
})

test('a run and its exported policies have the same returns', (t) => {
  const cwd = project(t)
  digest(hatrpo(training('mamujoco/custom', 'run', ...OPTIONS), cwd))
  const exported = hatrpo(['export', 'run', '--out', 'bundle'], cwd)
  assert.equal(exported.code, 0, exported.stderr)
  const evaluate = (source: string) => {
    const { code, stdout, stderr } = hatrpo(['eval', source, '--episodes', '3', '--json'], cwd)
    assert.equal(code, 0, stderr)
    return (JSON.parse(stdout) as EvaluateResult).returns
  }
  assert.deepEqual(evaluate('bundle'), evaluate('run'))
})

test('mamujoco/custom names its missing options before a run folder is made', (t) => {
  const cwd = project(t)
  const wrong: [set: string[], ...words: string[]][] = [
    [[], 'env.model is missing: it must be an MJCF file'],
    [OPTIONS.slice(0, 1), 'env.agents is missing'],
    [OPTIONS.slice(0, 3), 'env.reward is missing', 'exports a function reward'],
    [[...OPTIONS, 'env.model=./robbot.xml'], join(cwd, 'robbot.xml'), 'no such file'],
    [[...OPTIONS, 'env.reward=./robot.ts'], 'no file', join(cwd, 'robot.ts')],
    [
      [...OPTIONS, 'env.reward=./team.ts'],
      'env.reward=./team.ts',
      'exports default',
      'must export a function reward',
    ],
    [
      [...OPTIONS, 'env.agents=front,knee_frnot/hip_back,pull'],
      'env.agents=',
      'no actuator knee_frnot',
      'knee_front',
    ],
    [
      [...OPTIONS, 'env.observe=own,sensor:speed'],
      'env.observe=own,sensor:speed',
      'no sensor speed',
      'velocity',
    ],
    [[...OPTIONS, 'env.sate=all'], 'env.sate=all', 'no such option', 'state'],
    [[...OPTIONS, 'env.keyframe=up'], 'env.keyframe=up', 'its keyframes are low, high'],
  ]
  for (const [set, ...words] of wrong) {
    const { code, stdout, stderr } = hatrpo(training('mamujoco/custom', 'run', ...set), cwd)
    const said = `${set.at(-1)}: ${stderr}`
    assert.equal(stdout, '')
    assert.equal(code, 2, said)
    assert.match(stderr, /^hatrpo: [^\n]*\n$/, said)
    for (const word of words) assert.ok(stderr.includes(word), `${said} lacks ${word}`)
    assert.ok(!existsSync(join(cwd, 'run')), said)
  }
})

test('mamujoco/custom is not listed; all listed ids run without options', async (t) => {
  assert.ok(listEnvs().every(({ id }) => id !== 'mamujoco/custom'))
  assert.throws(() => makeEnvFactory({ id: 'mamujoco/custom' }), /made from files/)
  assert.throws(() => makeEnvFactory({ id: 'mamujoco/Crawler-2x2' }), /or mamujoco\/custom/)
  const cwd = project(t)
  const context = new EnvContext()
  const options = { model: join(cwd, 'robot.xml'), reward: join(cwd, 'reward.ts') }
  const factory = await loadEnvFactory(
    { id: 'mamujoco/custom', agents: 'front,knee_front,hip_back,pull', ...options },
    context,
  )
  const env = await factory.create(context)
  assert.equal(env.spec.id, 'mamujoco/custom')
  assert.deepEqual(env.spec, factory.spec)
})

test('the example has all its files in its own folder', async (t) => {
  const folder = join(temporaryDirectory(t), 'copied')
  mkdirSync(folder)
  cpSync(EXAMPLE, folder, { recursive: true })
  const here = await loadEnvFactory({ id: join(EXAMPLE, 'team.ts') })
  const there = await loadEnvFactory({ id: join(folder, 'team.ts') })
  assert.equal(there.sha256, here.sha256)
  assert.deepEqual(there.spec, here.spec)
})

/** The blocks of code of a language in a page. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code)
}

test('the commands of the page on teams run unchanged', (t) => {
  const commands = blocks('mujoco-teams.md', 'sh').map((block) =>
    block.replaceAll('\\\n', ' ').trim().split(/\s+/),
  )
  assert.equal(commands.length, 2)
  const runs = temporaryDirectory(t)
  // The commands set how often to evaluate.
  const settings = tiny.filter((setting) => !setting.startsWith('evaluation.'))
  for (const [k, [npx, name, ...args]] of commands.entries()) {
    assert.deepEqual([npx, name], ['npx', 'hatrpo'])
    digest(hatrpo([...args, '--steps', '80', '--out', join(runs, `${k}`), '--set', ...settings], ROOT))
  }
})

test('the code of the page on teams runs unchanged', async (t) => {
  const [team] = blocks('mujoco-teams.md', 'ts')
  const leg = (i: number) => `<body><joint name="hip_${i}"/><geom size="0.1"/>
    <body><joint name="knee_${i}"/><geom size="0.1" pos="0 0 -0.5"/></body></body>`
  const folder = writeFiles(t, {
    'team.ts': team,
    'robot.xml': `<mujoco><worldbody><body name="torso" pos="0 0 1"><freejoint/><geom size="0.1"/><site name="imu"/>
      ${leg(1)}${leg(2)}</body></worldbody>
      <actuator>${['hip_1', 'knee_1', 'hip_2', 'knee_2'].map((joint) => `<motor joint="${joint}"/>`).join('')}</actuator>
      <sensor><gyro name="gyro" site="imu"/><velocimeter name="velocity" site="imu"/></sensor></mujoco>`,
  })
  const { spec } = await loadEnvFactory({ id: join(folder, 'team.ts') })
  assert.deepEqual(
    spec.agents.map(({ id, observation }) => [id, observation.size]),
    [
      ['front', 4 + 2 + 3],
      ['back', 4 + 5 + 6],
    ],
  )
})
