import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { crc32 } from 'node:zlib'
import { decode } from 'fast-png'
import { EnvContext, loadEnvFactory, RUNNING, type MultiAgentEnv } from '../../src/envs/index.js'
import { HatrpoError } from '../../src/errors.js'
import { evaluate, exportPolicies, render } from '../../src/index.js'
import { loadKernels, PURPOSE } from '../../src/kernels/index.js'
import { episodeSeed } from '../../src/rollout/index.js'
import { playEpisodes } from '../../src/training/evaluate-bundle.js'
import { Cameraman } from '../../src/training/filming.js'
import { encodeNpz, type NpyArray } from '../../src/training/npz.js'
import { findPython } from '../envs/python.js'
import { storedRun } from '../export/stored-run.js'
import { saying, temporaryDirectory } from '../runs/fixtures.js'

const context = new EnvContext()
const SMALL = { width: 64, height: 36, seconds: 0.3, seed: 4 } as const

async function makeEnv(id: string): Promise<MultiAgentEnv> {
  return (await loadEnvFactory({ id })).create(context)
}

test('a film shows the episodes of an evaluation, with the same bytes on any number of threads', async (t) => {
  const { dir, out } = storedRun(t, 'mpe/spread', 'happo')
  const parent = join(dir, '..')
  const options = { source: dir, ...SMALL, episodes: 2 }
  const told: number[] = []
  const film = (name: string, workers: number) =>
    render({ ...options, out: join(parent, name), workers, onPicture: (done) => void told.push(done) })
  const first = await film('a.gif', 0)
  await film('b.gif', 1)
  const bytes = readFileSync(join(parent, 'a.gif'))
  assert.deepEqual(readFileSync(join(parent, 'b.gif')), bytes)
  assert.equal(bytes.subarray(0, 6).toString(), 'GIF89a')
  const { returns } = await evaluate({ source: dir, episodes: 2, seed: 4 })
  assert.deepEqual(first.returns, returns)
  // Steps take 0.1 s: four moments of each episode are within 0.3 s.
  assert.deepEqual(first.files, [{ path: join(parent, 'a.gif'), bytes: bytes.length, pictures: 8 }])
  assert.deepEqual(told.slice(0, 8), [1, 2, 3, 4, 5, 6, 7, 8])

  await exportPolicies({ run: dir, out, format: 'wasm', checkpoint: 1 })
  const still = async (source: string, name: string, more: object = {}) => {
    await render({ source, ...SMALL, at: 0.1, out: join(parent, name), workers: 0, ...more })
    return readFileSync(join(parent, name))
  }
  const ofRun = await still(dir, 'run.png', { checkpoint: 1 })
  assert.deepEqual(await still(out, 'bundle.png'), ofRun)
  assert.notDeepEqual(await still(dir, 'latest.png'), ofRun)
  const { width, height } = decode(ofRun)
  assert.deepEqual([width, height], [64, 36])
  await assert.rejects(
    render({ source: out, out: join(parent, 'x.gif'), checkpoint: 'best' }),
    saying('checkpoint is best', 'a bundle'),
  )
})

test('a folder gets a picture of every frame', async (t) => {
  const { dir } = storedRun(t, 'mpe/spread', 'happo')
  const folder = join(dir, '../frames/')
  const { files } = await render({ source: dir, ...SMALL, out: folder, workers: 0 })
  const names = readdirSync(folder)
  assert.deepEqual(names, ['000001.png', '000002.png', '000003.png', '000004.png'])
  assert.deepEqual([files[0].pictures, files[0].rate], [4, 10])
  await assert.rejects(
    render({ source: dir, ...SMALL, out: folder }),
    saying('the folder is not empty (000001.png)'),
  )
})

test('outputs that cannot be written or drawn are refused before any episode', async (t) => {
  const { dir } = storedRun(t, 'mpe/spread', 'happo')
  const cwd = temporaryDirectory(t)
  mkdirSync(join(cwd, 'taken.gif'))
  const wrong: [options: Partial<Parameters<typeof render>[0]>, ...words: string[]][] = [
    [{ out: join(cwd, 'a.mp4') }, 'out is', '.gif, .png, or with / for a folder'],
    [{ out: join(cwd, 'nowhere/a.gif') }, 'cannot write', 'there is no folder'],
    [{ out: join(cwd, 'taken.gif') }, 'cannot write', 'something else'],
    [{ out: '/proc/a.gif' }, 'cannot write'],
    [{ trajectory: join(cwd, 'a.csv') }, 'trajectory is', '.npz or .jsonl'],
    [{ trajectory: join(cwd, 'a.npz'), episodes: 0 }, 'episodes is 0'],
    [{ out: join(cwd, 'a.gif'), width: 8 }, 'width is 8', 'from 16'],
    [{ out: join(cwd, 'a.gif'), fps: 0 }, 'fps is 0'],
    [{ out: join(cwd, 'a.gif'), checkpoint: 9 }, 'checkpoint is 9'],
  ]
  for (const [options, ...words] of wrong)
    await assert.rejects(render({ source: dir, ...options }), saying(...words))
  assert.deepEqual(readdirSync(cwd), ['taken.gif'])
  const task = await makeEnv('games/skirmish')
  assert.throws(
    () => new Cameraman({ task, env: task, agents: [], scored: null }, { source: dir }),
    saying('games/skirmish cannot be drawn', 'record a trajectory'),
  )
})

test('an exception of an environment during an episode or a drawing is one line that names it', async () => {
  const wrong = () => {
    throw new TypeError('no ball')
  }
  for (const call of ['reset', 'step', 'dispose'] as const) {
    const env = await makeEnv('games/skirmish')
    env[call] = wrong
    await assert.rejects(
      playEpisodes({ task: env, env, agents: [], scored: null }, { episodes: 1, seed: 1 }),
      (error) =>
        error instanceof HatrpoError &&
        error.message.startsWith(`games/skirmish: ${call}(`) &&
        /^[^\n]+ threw TypeError: no ball \(episodes\.test\.js:\d+\)$/.test(error.message),
    )
  }
  const task = await makeEnv('games/skirmish')
  task.scene = wrong
  const camera = new Cameraman({ task, env: task, agents: [], scored: null }, { source: '' })
  assert.throws(() => camera.begun(), saying('games/skirmish: scene() threw TypeError: no ball'))
})

/** Of a step; `steps` and `return` are those of an episode's last line. */
interface TrajectoryLine {
  episode: number
  step: number
  observations: Record<string, number[]>
  state: number[]
  available: Record<string, number[]>
  active: Record<string, number>
  actions: Record<string, number[]>
  rewards: Record<string, number>
  terminated: boolean
  truncated: boolean
  steps?: number
  return?: number
}

test('a trajectory in JSON lines is reproduced by the environment with its actions', async (t) => {
  const { dir } = storedRun(t, 'games/skirmish', 'happo')
  const file = join(dir, '../t.jsonl')
  const { returns } = await render({ source: dir, trajectory: file, episodes: 2, seed: 3 })
  const [about, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TrajectoryLine)
  const env = await makeEnv('games/skirmish')
  const ids = env.spec.agents.map(({ id }) => id)
  assert.deepEqual(about, {
    format: 'hatrpo-trajectory',
    version: 1,
    environment: 'games/skirmish',
    agents: ids,
    seed: 3,
    stepSeconds: null,
  })
  const f32 = (values: number[]) => Float32Array.from(values)
  const assertSeen = (line: TrajectoryLine) => {
    ids.forEach((id, i) => {
      assert.deepEqual(f32(line.observations[id]), env.observations[i])
      assert.deepEqual(line.available[id], Array.from(env.availableActions![i]))
      assert.equal(line.active[id], env.active![i])
    })
    assert.deepEqual(f32(line.state), env.state)
  }
  const kernels = await loadKernels()
  let episode = 0
  const reset = () => env.reset(episodeSeed(kernels, 3, PURPOSE.evaluation, episode++, 0))
  let end = RUNNING
  let steps = 0
  reset()
  for (const line of lines) {
    assertSeen(line)
    if ('return' in line) {
      assert.notEqual(end, RUNNING)
      assert.deepEqual([line.steps, line.return], [steps, returns[line.episode]])
      reset()
      steps = 0
      continue
    }
    assert.equal(line.step, steps++)
    ids.forEach((id, i) => env.actions[i].set(line.actions[id]))
    end = env.step()
    ids.forEach((id, i) => assert.equal(Math.fround(line.rewards[id]), env.rewards[i]))
    assert.deepEqual([line.terminated, line.truncated], [end === 1, end === 2])
  }
  assert.equal(lines.filter((line) => 'return' in line).length, 2)
})

/** Arrays of a .npz file that is not compressed: an independent reading of ZIP and of NumPy's format. */
function readNpz(bytes: Buffer): Map<string, { type: string; shape: number[]; content: Buffer }> {
  const arrays = new Map<string, { type: string; shape: number[]; content: Buffer }>()
  const end = bytes.length - 22
  assert.equal(bytes.readUInt32LE(end), 0x06054b50)
  let at = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    assert.equal(bytes.readUInt32LE(at), 0x02014b50)
    const [size, nameLength] = [bytes.readUInt32LE(at + 24), bytes.readUInt16LE(at + 28)]
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength)
    const local = bytes.readUInt32LE(at + 42)
    const begin = local + 30 + bytes.readUInt16LE(local + 26)
    const file = bytes.subarray(begin, begin + size)
    assert.equal(crc32(file), bytes.readUInt32LE(at + 16))
    const header = file.toString('latin1', 10, 10 + file.readUInt16LE(8))
    const [, type, sizes] = /'descr': '([^']+)', 'fortran_order': False, 'shape': \(([^)]*)\)/.exec(header)!
    assert.equal((10 + header.length) % 64, 0)
    const shape = sizes.split(',').flatMap((n) => (n.trim() === '' ? [] : [Number(n)]))
    arrays.set(name.replace(/\.npy$/, ''), { type, shape, content: file.subarray(10 + header.length) })
    at += 46 + nameLength
  }
  return arrays
}

test('a trajectory in NumPy arrays has the expected sizes and sums', async (t) => {
  const { dir } = storedRun(t)
  const file = join(dir, '../t.npz')
  const film = join(dir, '../t.gif')
  const options = { source: dir, ...SMALL, trajectory: file, episodes: 2 }
  const { returns, files } = await render({ ...options, out: film, workers: 0 })
  const bytes = readFileSync(file)
  const arrays = readNpz(bytes)
  const lengths = [0, 4].map((at) => arrays.get('lengths')!.content.readInt32LE(at))
  const steps = lengths[0] + lengths[1]
  // Hopper's steps take 8 ms: every fifth is shown, up to the 37th, and the last one of an episode that ends before.
  const counts = lengths.map(
    (own) => 1 + Math.floor(Math.min(own, 37) / 5) + (own < 37 && own % 5 > 0 ? 1 : 0),
  )
  assert.deepEqual([files[0].bytes, files[1].pictures], [bytes.length, counts[0] + counts[1]])
  const expected: Record<string, [string, ...number[]]> = {
    episode: ['<i4', steps],
    step: ['<i4', steps],
    'observations/agent_1': ['<f4', steps, 11],
    states: ['<f4', steps, 11],
    'actions/agent_2': ['<f4', steps, 1],
    rewards: ['<f4', steps, 3],
    terminated: ['|b1', steps],
    truncated: ['|b1', steps],
    'final_observations/agent_0': ['<f4', 2, 11],
    final_states: ['<f4', 2, 11],
    returns: ['<f8', 2],
  }
  for (const [name, [type, ...shape]] of Object.entries(expected)) {
    const found = arrays.get(name)!
    assert.deepEqual([name, found.type, ...found.shape], [name, type, ...shape])
  }
  const rewards = arrays.get('rewards')!.content
  let total = 0
  for (let k = 0; k < steps; k++) total += rewards.readFloatLE(12 * k)
  assert.ok(Math.abs(total - returns[0] - returns[1]) < 1e-3)
  const about = arrays.get('about')!
  const letters = Array.from({ length: about.content.length / 4 }, (_, i) =>
    about.content.readUInt32LE(4 * i),
  )
  assert.match(String.fromCodePoint(...letters), /"environment":"mamujoco\/Hopper-3x1"/)
})

const { python, missing } = findPython('numpy')

test('numpy reads the arrays', { skip: missing }, (t) => {
  const file = join(temporaryDirectory(t), 'a.npz')
  const arrays = new Map<string, NpyArray | string>([
    ['about', 'caf\u00e9 \u{1F600}'],
    ['a/b', { values: Float32Array.of(1.5, -2, 3, 4, 5, 6), shape: [2, 3] }],
    ['flags', { values: Uint8Array.of(1, 0), shape: [2], logical: true }],
    ['none', { values: new Int32Array(0), shape: [0, 4] }],
  ])
  writeFileSync(file, encodeNpz(arrays))
  const program = `import numpy, sys
d = numpy.load(sys.argv[1])
print(str(d['about']), d['a/b'].tolist(), d['flags'].tolist(), d['none'].shape, d['none'].dtype)`
  const { stdout, stderr } = spawnSync(python, ['-c', program, file], { encoding: 'utf8' })
  assert.equal(
    stdout,
    'caf\u00e9 \u{1F600} [[1.5, -2.0, 3.0], [4.0, 5.0, 6.0]] [True, False] (0, 4) int32\n',
    stderr,
  )
})

test('drawing a picture changes no bit of an episode', async () => {
  const views = async (looks: boolean) => {
    // The rewards of Ant read arrays that the last stage of a step has left.
    const env = await makeEnv('mamujoco/Ant-2x4')
    env.reset(7)
    const seen: number[] = []
    for (let step = 0; step < 12; step++) {
      if (looks) env.scene!()
      env.actions.forEach((action, i) => action.fill(0.3 - 0.1 * ((step + i) % 7)))
      env.step()
      if (looks) env.scene!()
      seen.push(env.rewards[0], ...env.state)
    }
    const saved = env.saveState!()
    if (looks) {
      env.scene!()
      assert.deepEqual(env.saveState!(), saved)
      const { solids } = env.scene!()
      assert.ok(solids.every(({ shape }, i) => shape === env.scene!().solids[i].shape))
    }
    env.dispose!()
    return seen
  }
  assert.deepEqual(await views(true), await views(false))
})
