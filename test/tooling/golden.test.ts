import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkGoldenFiles, type Comparison } from '../../scripts/golden/report.js'
import { deviceNames } from '../../src/devices/open.js'

const script = fileURLToPath(new URL('../../scripts/golden.js', import.meta.url))
const goldenFile = (name: string) =>
  fileURLToPath(new URL(`../../../test/golden/harl/${name}`, import.meta.url))

interface GoldenFile {
  header: { fixture: string; hyper_parameters: Record<string, unknown> }
  inputs: Record<string, unknown>
  harl: Record<string, { data: number[] }>
  tolerance: Record<string, { suggest_atol: number }>
}

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
}

/** The path of a copy of a golden file with something changed in it. */
function changed(t: TestContext, name: string, change: (file: GoldenFile) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'hatrpo-golden-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = JSON.parse(readFileSync(goldenFile(name), 'utf8')) as GoldenFile
  change(file)
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(file))
  return path
}

test('--json prints file, quantity, maxAbs and bound, one object per line, and exits 0', () => {
  const files = ['gae_returns.T12E3.s1.json', 'happo_update.on_policy.s2.json'].map(goldenFile)
  const { status, stdout } = run('--json', ...files)
  assert.equal(status, 0)
  const lines = stdout.trim().split('\n')
  const seen = new Set<unknown>()
  for (const line of lines) {
    const object = JSON.parse(line) as Record<string, unknown>
    assert.deepEqual(Object.keys(object), ['file', 'quantity', 'maxAbs', 'bound'])
    assert.ok((object['maxAbs'] as number) <= (object['bound'] as number))
    seen.add(object['file'])
  }
  assert.deepEqual(Array.from(seen), files)
})

test('without --json a table and a count', () => {
  const { status, stdout } = run(goldenFile('gae_returns.T12E3.s1.json'))
  assert.equal(status, 0)
  const lines = stdout.trim().split('\n')
  assert.match(lines.at(-1)!, /^8 quantities of 1 files: 8 ok, 0 WIDER, 0 FAIL$/)
  for (const line of lines.slice(0, -1)) assert.match(line, /^ok +\S+ <= \S+ {2}\S+ {2}\S+\.json$/)
})

test('--device names the device that computes', () => {
  const differences = (...args: string[]) => {
    const { status, stdout } = run('--json', ...args, goldenFile('critic_update.fresh_valuenorm.s1.json'))
    assert.equal(status, 0)
    return stdout.trim().split('\n')
  }
  const [standard, named, other] = [[], ['--device', 'wasm'], ['--device', 'reference']].map((args) =>
    differences(...args),
  )
  assert.deepEqual(named, standard)
  assert.equal(other.length, standard.length)
  // Another device rounds differently.
  assert.notDeepEqual(other, standard)
})

test('a number beyond its bound fails, and so does a bound below the rounding, with or without --accept-wider', (t) => {
  const moved = changed(t, 'critic_update.fresh_valuenorm.s2.json', ({ harl }) => {
    const { data } = (harl['epochs'] as unknown as { params: { data: number[] } }[])[2].params
    data[7] += 1e-3
  })
  const tight = changed(t, 'gae_returns.T12E3.s2.json', ({ tolerance }) => {
    tolerance['returns_proper_valuenorm'].suggest_atol = 1e-12
  })
  for (const file of [moved, tight]) {
    const { status, stdout } = run(file, '--accept-wider')
    assert.equal(status, 1)
    assert.equal(stdout.split('\n').filter((line) => line.startsWith('FAIL')).length, 1)
  }
})

test('a bound wider than the suggested one is WIDER and fails unless accepted', async (t) => {
  const lines: string[] = []
  t.mock.method(console, 'log', (line: string) => lines.push(line))
  const wide: Comparison = { quantity: 'loss', maxAbs: 2e-6, bound: 1e-5, suggested: 1e-6 }
  const check = (comparison: Comparison, acceptWider: boolean) =>
    checkGoldenFiles({ files: ['x.json'], json: false, acceptWider }, () =>
      Promise.resolve({ comparisons: [comparison], notes: [] }),
    )
  assert.equal(await check(wide, false), 1)
  assert.match(lines[0], /^WIDER/)
  assert.equal(await check(wide, true), 0)
  assert.equal(await check({ ...wide, maxAbs: 2e-5 }, true), 1)
  assert.equal(await check({ ...wide, maxAbs: NaN }, true), 1)
  assert.equal(await check({ ...wide, bound: 1e-6, maxAbs: 1e-6 }, false), 0)
})

test('a file that cannot be compared is reported in one line, exit code 1', (t) => {
  const kind = (fixture: string) =>
    changed(t, 'gae_returns.T12E3.s1.json', ({ header }) => (header.fixture = fixture))
  const cases: [string, RegExp][] = [
    ['/nowhere.json', /cannot be read: ENOENT/],
    [script, /is not JSON/],
    [kind('lstm_actor'), /kind not supported yet: lstm_actor/],
    [kind('constructor'), /kind not supported yet: constructor/],
    [
      changed(t, 'happo_update.on_policy.s1.json', ({ header }) => {
        header.hyper_parameters['actor_num_mini_batch'] = 2
      }),
      /header\.hyper_parameters\.actor_num_mini_batch: 2: must be 1/,
    ],
    [
      changed(t, 'happo_update.on_policy.s1.json', ({ header }) => {
        header.hyper_parameters['activation_func'] = 'hardswish'
      }),
      /activation_func: hardswish: must be one of relu,/,
    ],
    [
      changed(t, 'gaussian_actor.forward.s1.json', ({ header }) => {
        header.hyper_parameters['hidden_sizes'] = [16, 16, 16]
      }),
      /header\.params\.10: act\.action_out\.log_std \[3\] at 550, must be hidden\.2\.weight \[16,16\] at 550/,
    ],
    [
      changed(t, 'sequential_happo.agents3.s1.json', ({ inputs }) => (inputs['order'] = [0, 1, 1])),
      /inputs\.order: \[0,1,1\], must name each of 3 agents once/,
    ],
  ]
  for (const files of [[cases[0][0]], cases.map(([file]) => file)]) {
    const { status, stdout, stderr } = run(...files)
    assert.equal(status, 1, stderr)
    assert.equal(stdout, '')
    const lines = stderr.trimEnd().split('\n')
    assert.equal(lines.length, files.length, stderr)
    lines.forEach((line, i) => assert.match(line, cases[i][1]))
  }
})

test('usage errors have exit code 2', () => {
  assert.equal(run().status, 2)
  assert.equal(run('--wide', 'x.json').status, 2)
  const { status, stderr } = run('--device', 'abacus', 'x.json')
  assert.equal(status, 2)
  assert.ok(stderr.endsWith(`'abacus' is invalid. Allowed choices are ${deviceNames.join(', ')}.\n`), stderr)
  const other = run('--derivatives', 'numeric', 'x.json')
  assert.equal(other.status, 2)
  assert.match(other.stderr, /'numeric' is invalid\. Allowed choices are chosen, layerwise, jacobian\.\n$/)
  assert.equal(run('--help').status, 0)
})
