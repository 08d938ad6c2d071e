import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { goldenPath } from '../envs/paths.js'

const SCRIPT = fileURLToPath(new URL('../../src/cli/golden-envs.js', import.meta.url))

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })
}

/** The golden file of a task, changed, as a file of its own. */
function withChanged(change: (golden: GoldenFile) => void, use: (file: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'golden-envs-'))
  try {
    const golden = JSON.parse(readFileSync(goldenPath('Hopper.json'), 'utf8')) as GoldenFile
    change(golden)
    writeFileSync(join(folder, 'changed.json'), JSON.stringify(golden))
    use(join(folder, 'changed.json'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface GoldenFile {
  task: string
  spaces: { v4: { body_mass: number[]; body_names: string[] } }
  transitions: { v4: { terminated: boolean; next_qvel: number[] }[] }
  trajectory: { steps: { reward: number }[] }
}

test('golden-envs: HalfCheetah, Hopper and Walker2d repeat the recorded transitions to 1e-9', () => {
  const files = ['HalfCheetah.json', 'Hopper.json', 'Walker2d.json'].map(goldenPath)
  const { status, stdout, stderr } = run('--json', ...files)
  assert.equal(status, 0, stderr)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; quantity: string; maxAbs: number; bound: number })
  for (const { quantity, maxAbs, bound } of lines) {
    assert.equal(bound, 1e-9)
    assert.ok(maxAbs <= bound, `${quantity}: ${maxAbs}`)
  }
  for (const file of files) {
    const quantities = lines.filter((line) => line.file === file).map(({ quantity }) => quantity)
    for (const part of ['qpos', 'qvel', 'obs', 'reward', 'terminated']) {
      assert.ok(quantities.includes(`transitions.v4.${part}`))
      assert.ok(quantities.includes(`trajectory.${part}`))
    }
    assert.ok(quantities.filter((quantity) => quantity.startsWith('spaces.v4.')).length >= 25)
    assert.ok(stderr.includes(`${file}: transitions.v5:`))
    assert.ok(stderr.includes(`${file}: spaces.v5: skipped`))
  }
})

for (const [what, quantity, change] of [
  ['a velocity', 'transitions.v4.qvel', (g: GoldenFile) => (g.transitions.v4[3].next_qvel[1] += 2e-9)],
  ['an end', 'transitions.v4.terminated', (g: GoldenFile) => (g.transitions.v4[0].terminated = true)],
  ['a reward', 'trajectory.reward', (g: GoldenFile) => (g.trajectory.steps[19].reward -= 2e-9)],
  ['a mass', 'spaces.v4.body_mass', (g: GoldenFile) => (g.spaces.v4.body_mass[1] *= 1.001)],
  ['a name', 'spaces.v4.body_names', (g: GoldenFile) => (g.spaces.v4.body_names[1] = 'trunk')],
] as const) {
  test(`golden-envs: ${what} that differs fails, and only that`, () => {
    withChanged(change, (file) => {
      const { status, stdout } = run(file)
      assert.equal(status, 1)
      const failed = stdout.split('\n').filter((line) => line.startsWith('FAIL'))
      assert.equal(failed.length, 1)
      assert.ok(failed[0].includes(quantity))
    })
  })
}

test('golden-envs: what cannot be checked is said in one line, with exit code 1', () => {
  withChanged(
    (golden) => (golden.task = 'Ant'),
    (file) => {
      const { status, stdout, stderr } = run(file)
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.equal(stderr, `${file}: task not supported yet: Ant\n`)
    },
  )
  const missing = run('/nowhere.json')
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /^\/nowhere\.json: ENOENT.*\n$/)
  const model = goldenPath('model-hopper.json')
  const other = run(model)
  assert.equal(other.status, 1)
  assert.match(other.stderr, /is not a golden-env\/1 file: format: .*\n$/)
})

test('golden-envs: wrong flags are usage errors', () => {
  assert.equal(run().status, 2)
  assert.equal(run('--wide').status, 2)
  assert.equal(run('--help').status, 0)
})
