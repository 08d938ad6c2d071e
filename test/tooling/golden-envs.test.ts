import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkRecordedFile } from '../../scripts/golden/recorded.js'
import { checkGoldenFiles } from '../../scripts/golden/report.js'
import { EnvContext } from '../../src/envs/index.js'
import { goldenPath } from '../envs/paths.js'

const SCRIPT = fileURLToPath(new URL('../../scripts/golden-envs.js', import.meta.url))

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })
}

/** Files of the particle environments. */
const PARTICLES = readdirSync(goldenPath('mpe')).map((name) => join('mpe', name))

const context = new EnvContext()

/** Result of the script for a file, in this process, because a new one would load MuJoCo again. */
async function check(file: string): Promise<ReturnType<typeof run>> {
  const printed = { log: '', error: '' }
  const restored = { log: console.log, error: console.error }
  console.log = (text: string) => void (printed.log += `${text}\n`)
  console.error = (text: string) => void (printed.error += `${text}\n`)
  try {
    const args = { files: [file], json: false, acceptWider: false }
    const status = await checkGoldenFiles(args, (path) => checkRecordedFile(path, context))
    return { status, stdout: printed.log, stderr: printed.error }
  } finally {
    Object.assign(console, restored)
  }
}

/** A changed golden file of a task, as a separate file. */
async function withChanged<Golden = GoldenFile>(
  change: (golden: Golden) => void,
  use: (file: string) => Promise<void>,
  original = 'Hopper.json',
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'golden-envs-'))
  try {
    const golden = JSON.parse(readFileSync(goldenPath(original), 'utf8')) as Golden
    change(golden)
    writeFileSync(join(folder, 'changed.json'), JSON.stringify(golden))
    await use(join(folder, 'changed.json'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface GoldenFile {
  task: string
  spaces: { v4: { body_mass: number[]; body_names: string[] } }
  transitions: { v4: { terminated: boolean; next_qvel: number[] }[] }
  trajectory: { steps: { reward: number }[] }
  mamujoco: {
    '3x1': {
      obsk: Record<
        string,
        { agents: Record<string, { index_map: number[] }>; local_obs: Record<string, number[]>[] }
      >
    }
  }
}

interface Line {
  file: string
  quantity: string
  maxAbs: number
  bound: number
}

/** Comparison of all recorded files, in one process: to load MuJoCo takes longer than most files do. */
let comparison: { quantities: Line[]; stderr: string[] } | undefined

function compareAll(): { quantities: Line[]; stderr: string[] } {
  const recorded = readdirSync(goldenPath('.')).filter((name) => /^[A-Z].*\.json$/.test(name))
  const files = [...recorded, ...PARTICLES]
  const { status, stdout, stderr } = run('--json', ...files.map((name) => goldenPath(name)))
  assert.equal(status, 0, stderr)
  const quantities = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  return { quantities, stderr: stderr.split('\n') }
}

function compare(task: string): { quantities: Line[]; stderr: string } {
  comparison ??= compareAll()
  const path = goldenPath(`${task}.json`)
  const quantities = comparison.quantities.filter(({ file }) => file === path)
  for (const { quantity, maxAbs, bound } of quantities) {
    assert.ok(maxAbs <= bound, `${quantity}: ${maxAbs}`)
    // Only a solver that stops unconverged is held to less.
    if (bound !== 1e-9) assert.match(task, /^Humanoid/, quantity)
  }
  const notes = comparison.stderr.filter((line) => line.startsWith(`${path}: `))
  return { quantities, stderr: notes.join('\n') }
}

for (const [task, versions, divisions] of [
  ['HalfCheetah', ['v4', 'v5'], ['2x3.obsk.0', '2x3.obsk.1']],
  ['Hopper', ['v4', 'v5'], ['3x1.obsk.0', '3x1.obsk.1']],
  ['Walker2d', ['v4', 'v5'], ['2x3.obsk.0', '2x3.obsk.1']],
  ['Swimmer', ['v4', 'v5'], ['2x1.obsk.0', '2x1.obsk.1']],
  ['Ant', ['v4', 'v4c', 'v5'], ['2x4.obsk.0', '2x4.obsk.1', '4x2.obsk.0', '4x2.obsk.1']],
  ['Humanoid', ['v4', 'v5'], ['9|8.obsk.0', '9|8.obsk.1']],
  ['HumanoidStandup', ['v4', 'v5'], ['9|8.obsk.0']],
  ['ManySegmentSwimmer', ['v5'], ['10x2.obsk.0', '10x2.obsk.1']],
  ['CoupledHalfCheetah', ['v1'], ['1p1.obsk.0']],
  ['Reacher', ['v4', 'v5'], ['2x1.obsk.0', '2x1.obsk.1']],
  ['Pusher', ['v4', 'v5'], ['3p.obsk.0', '3p.obsk.1', '3p.obsk.3']],
  ['ManySegmentAnt', ['v5'], ['2x3.obsk.0', '2x3.obsk.1', '2x3.obsk.2']],
  ['ManySegmentAnt-2x1', ['v5'], ['2x1.obsk.0', '2x1.obsk.1']],
  ['ManySegmentSwimmer-3x2', ['v5'], ['3x2.obsk.0', '3x2.obsk.3']],
] as const) {
  test(`golden-envs: ${task} repeats its recorded transitions, spaces and local observations`, () => {
    const { quantities, stderr } = compare(task)
    const names = quantities.map(({ quantity }) => quantity)
    const humanoid = task.startsWith('Humanoid')
    for (const version of versions) {
      for (const part of ['qpos', 'qvel', 'obs', 'reward', 'terminated']) {
        // A humanoid's steps may all be under constraints, where its solver stops unconverged.
        const loose = `transitions.${version}.unconverged.${part}`
        const found = names.some(
          (name) => name === `transitions.${version}.${part}` || (humanoid && name.startsWith(loose)),
        )
        assert.ok(found, `${version} ${part}`)
      }
      const spaces = names.filter((name) => name.startsWith(`spaces.${version}.`))
      assert.ok(spaces.length >= 24)
    }
    assert.ok(names.includes(humanoid ? 'trajectory.unconverged.qpos' : 'trajectory.qpos'))
    for (const division of divisions) {
      for (const part of ['obs_dim', 'action_ids', 'nodes_by_distance', 'reward']) {
        assert.ok(names.includes(`mamujoco.${division}.${part}`), `${division} ${part}`)
      }
      const local = names.filter((name) => name.startsWith(`mamujoco.${division}.local_obs`))
      assert.ok(local.length > 0)
    }
    if (humanoid) {
      for (const part of ['qpos', 'qvel', 'reward', 'obs.cfrc_ext.relative']) {
        assert.ok(names.includes(`transitions.v5.converged.${part}`))
      }
      assert.match(stderr, /stops its solver unconverged/)
    } else {
      assert.ok(!names.some((name) => name.includes('unconverged')))
    }
  })
}

for (const [file, divisions] of [
  ['HalfCheetah-divisions', { '6x1': 4, '3x2': 4 }],
  ['Walker2d-divisions', { '3x2': 4, '6x1': 4 }],
  ['Ant-divisions', { '2x4d': 4, '8x1': 4 }],
  ['CoupledHalfCheetah-divisions', { '1p1': 3 }],
  ['Humanoid-divisions', { '17x1': 2 }],
  ['HumanoidStandup-divisions', { '9|8': 2 }],
  ['Ant-categories', { '4x2': 3 }],
  ['Reacher-categories', { '2x1': 2 }],
] as const) {
  test(`golden-envs: ${file}: further divisions, depths and categories have the original observations`, () => {
    const names = compare(file).quantities.map(({ quantity }) => quantity)
    for (const [division, depths] of Object.entries(divisions)) {
      for (const part of ['agents', 'obs_dim', 'action_nodes', 'nodes_by_distance', 'reward']) {
        const found = names.filter(
          (name) => name.startsWith(`mamujoco.${division}.`) && name.endsWith(`.${part}`),
        )
        assert.equal(found.length, depths, `${division} ${part}`)
      }
      const local = new RegExp(`^mamujoco\\.${division.replace('|', '\\|')}\\.obsk\\.\\d\\.local_obs(\\.|$)`)
      assert.ok(names.filter((name) => local.test(name)).length >= depths)
    }
  })
}

for (const [what, quantity, change] of [
  ['a velocity', 'transitions.v4.qvel', (g: GoldenFile) => (g.transitions.v4[3].next_qvel[1] += 2e-9)],
  ['an end', 'transitions.v4.terminated', (g: GoldenFile) => (g.transitions.v4[0].terminated = true)],
  ['a reward', 'trajectory.reward', (g: GoldenFile) => (g.trajectory.steps[19].reward -= 2e-9)],
  ['a mass', 'spaces.v4.body_mass', (g: GoldenFile) => (g.spaces.v4.body_mass[1] *= 1.001)],
  [
    'a local observation',
    'mamujoco.3x1.obsk.1.local_obs',
    (g: GoldenFile) => (g.mamujoco['3x1'].obsk['1'].local_obs[2]['agent_1'][3] += 2e-9),
  ],
  [
    'an index',
    'mamujoco.3x1.obsk.0.index_map',
    (g: GoldenFile) => (g.mamujoco['3x1'].obsk['0'].agents['agent_2'].index_map[0] += 1),
  ],
  ['a name', 'spaces.v4.body_names', (g: GoldenFile) => (g.spaces.v4.body_names[1] = 'trunk')],
] as const) {
  test(`golden-envs: ${what} that differs fails, and only that`, async () => {
    await withChanged(change, async (file) => {
      const { status, stdout } = await check(file)
      assert.equal(status, 1)
      const failed = stdout.split('\n').filter((line) => line.startsWith('FAIL'))
      assert.equal(failed.length, 1)
      assert.ok(failed[0].includes(quantity))
    })
  })
}

for (const file of PARTICLES) {
  test(`golden-envs: ${file} repeats its recorded steps, trajectory and spaces`, () => {
    const { quantities } = compare(file.replace('.json', ''))
    const names = quantities.map(({ quantity }) => quantity)
    for (const part of [
      'next_state.pos',
      'next_state.vel',
      'next_observations',
      'rewards',
      'total_force',
      'touching',
    ])
      assert.ok(names.includes(`transitions.${part}`), part)
    for (const part of [
      'agents.action_space',
      'landmarks',
      'trajectories.state.pos',
      'trajectories.truncated',
    ])
      assert.ok(names.includes(part), part)
    assert.equal(names.includes('out_of_range.rewards'), file.includes('continuous'))
  })
}

interface ParticleFile {
  name: string
  params: Record<string, number>
  transitions: { rewards: number[]; next_state: { vel: number[][] } }[]
}

for (const [what, quantity, change] of [
  [
    'a velocity',
    'transitions.next_state.vel',
    (g: ParticleFile) => (g.transitions[2].next_state.vel[1][0] += 2e-9),
  ],
  ['a reward', 'transitions.rewards', (g: ParticleFile) => (g.transitions[0].rewards[2] -= 2e-9)],
] as const) {
  test(`golden-envs: ${what} of a particle file that differs fails, and only that`, async () => {
    await withChanged<ParticleFile>(
      change,
      async (file) => {
        const { status, stdout } = await check(file)
        assert.equal(status, 1)
        const failed = stdout.split('\n').filter((line) => line.startsWith('FAIL'))
        assert.equal(failed.length, 1)
        assert.ok(failed[0].includes(quantity))
      },
      PARTICLES.find((name) => name.includes('spread')),
    )
  })
}

test('golden-envs: unknown entries are named, and the rest is checked', async () => {
  await withChanged(
    (golden) => {
      const loose = golden as unknown as Record<string, Record<string, unknown>>
      loose['weather'] = {}
      loose['spaces']['v3'] = {}
      Object.assign(golden.spaces.v4, { colour: 3, reset: { qpos: 'by moonlight', s: 0.005 } })
      Object.assign(golden.transitions.v4[0], { xpos: [1] })
      golden.mamujoco['3x1'].obsk['far'] = golden.mamujoco['3x1'].obsk['0']
    },
    async (file) => {
      const { status, stderr } = await check(file)
      assert.equal(status, 0)
      const unknown = stderr.split('\n').find((line) => line.endsWith('not something that we know'))!
      for (const name of ['weather', 'spaces.v4.colour', 'spaces.v4.reset.qpos', 'transitions.v4.xpos']) {
        assert.ok(unknown.includes(name), name)
      }
      assert.match(stderr, /not checked: v3: we have no such version of Hopper/)
      assert.match(stderr, /not checked: mamujoco\.3x1\.obsk\.far: not a distance/)
    },
  )
})

test('golden-envs: a file that cannot be checked is reported in one line, with exit code 1', async () => {
  await withChanged(
    (golden) => (golden.task = 'Spider'),
    async (file) => {
      const { status, stdout, stderr } = await check(file)
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.equal(stderr, `${file}: task not supported yet: Spider\n`)
    },
  )
  for (const [change, line] of [
    [(golden: ParticleFile) => (golden.name = 'simple_crypto'), 'scenario not supported yet: simple_crypto'],
    [(golden: ParticleFile) => (golden.params['M'] = 2), 'params.M: we have no such option of push'],
  ] as const) {
    await withChanged<ParticleFile>(
      change,
      async (file) => assert.equal((await check(file)).stderr, `${file}: ${line}\n`),
      PARTICLES.find((name) => name.includes('push')),
    )
  }
  const missing = await check('/nowhere.json')
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /^\/nowhere\.json: ENOENT.*\n$/)
  const model = goldenPath('model-hopper.json')
  const other = await check(model)
  assert.equal(other.status, 1)
  assert.match(other.stderr, /is not a golden-env\/1 file: format: .*\n$/)
})

test('golden-envs: wrong flags are usage errors', () => {
  assert.equal(run().status, 2)
  assert.equal(run('--wide').status, 2)
  assert.equal(run('--help').status, 0)
})
