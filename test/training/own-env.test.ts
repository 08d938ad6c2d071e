import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import type { EvaluateResult } from '../../src/training/evaluate.js'
import { hatrpo, MAIN } from '../cli/command.js'
import { findHosts } from '../hosts/find.js'
import { temporaryDirectory, tiny } from './runs.js'

/** An episode takes 25 steps and a rollout 20: checkpoints fall into the middle of episodes. */
const ITERATIONS = 6
const settings = [...tiny, 'checkpoint.every=1', `steps=${ITERATIONS * 80}`]

const compiled = join(import.meta.dirname, '../envs/fixtures')
const sources = join(import.meta.dirname, '../../../test/envs/fixtures')

/** A folder with the boat of test/envs/fixtures, which has no saveState, in TypeScript, and in JavaScript below js/. */
function project(t: TestContext): string {
  const folder = temporaryDirectory(t)
  mkdirSync(join(folder, 'js'))
  for (const name of ['wind', 'gusts']) {
    copyFileSync(join(sources, `${name}.ts`), join(folder, `${name}.ts`))
    copyFileSync(join(compiled, `${name}.js`), join(folder, 'js', `${name}.js`))
  }
  return folder
}

function training(env: string, out: string, ...set: string[]): string[] {
  return ['train', '--env', env, '--algo', 'hatrpo', '--out', out, '--set', ...settings, ...set]
}

/** The digest that a training ends with. */
function digest({ code, stdout, stderr }: ReturnType<typeof hatrpo>): string {
  assert.equal(code, 0, stderr)
  return /^parameters sha256 [0-9a-f]{64}$/m.exec(stdout)![0]
}

/** Digest of the training of the boat: the first test finds it, other engines repeat it. */
let whole = ''

test('an environment in TypeScript or JavaScript, without saveState: the same bits with 1 and 2 workers, killed or not', async (t) => {
  const cwd = project(t)
  whole = digest(hatrpo([...training('./wind.ts', 'whole'), '--workers', '1'], cwd))
  assert.equal(digest(hatrpo([...training('./js/wind.js', 'translated'), '--workers', '2'], cwd)), whole)
  assert.notEqual(
    digest(hatrpo([...training('./wind.ts', 'windy', 'env.wind=0.4'), '--workers', '0'], cwd)),
    whole,
  )

  const args = [...training('./wind.ts', 'killed'), '--workers', '2']
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: 'ignore', detached: true })
  const ended = once(child, 'close')
  while (child.exitCode === null && !listCheckpoints(join(cwd, 'killed')).includes(3)) await sleep(1)
  assert.equal(child.exitCode, null, 'the run ended before it could be killed')
  process.kill(-child.pid!, 'SIGKILL')
  await ended
  assert.ok(!existsSync(join(cwd, 'killed', 'result.json')), 'the run ended before it could be killed')
  const resumed = hatrpo(['train', '--resume', 'killed', '--workers', '1'], cwd)
  assert.match(resumed.stderr, /resuming from checkpoint/)
  assert.equal(digest(resumed), whole)
})

test('a run is evaluated and exported from any folder, and a bundle from that of its environment, with the options of the run', (t) => {
  const cwd = project(t)
  const elsewhere = temporaryDirectory(t)
  digest(hatrpo(training('./wind.ts', 'run', 'env.wind=0.1'), cwd))
  const run = join(cwd, 'run')
  const exported = hatrpo(['export', run, '--out', 'bundle'], elsewhere)
  assert.equal(exported.code, 0, exported.stderr)
  const bundle = join(elsewhere, 'bundle')
  const evaluate = (source: string) => {
    const from = source === bundle ? cwd : elsewhere
    const { code, stdout, stderr } = hatrpo(
      ['eval', source, '--episodes', '3', '--workers', '0', '--json'],
      from,
    )
    assert.equal(code, 0, stderr)
    return { ...(JSON.parse(stdout) as EvaluateResult), stderr }
  }
  const { source: _, ...ofRun } = evaluate(run)
  const { source: _b, ...ofBundle } = evaluate(bundle)
  assert.equal(ofRun.env, 'wind')
  assert.equal(ofRun.stderr, '')
  assert.deepEqual(ofBundle, ofRun)

  appendFileSync(join(cwd, 'gusts.ts'), '\n')
  const changed = `environment ${join(cwd, 'wind.ts')} was changed since these policies were trained\n`
  for (const source of [run, bundle]) {
    const { returns, stderr } = evaluate(source)
    assert.deepEqual(returns, ofRun.returns)
    assert.equal(stderr, changed)
  }
})

test('a run resumes with its original code, or with other code on request', (t) => {
  const cwd = project(t)
  digest(hatrpo([...training('./wind.ts', 'run'), '--workers', '0'], cwd))
  const config = join(cwd, 'run/config.json')
  const about = () => (JSON.parse(readFileSync(config, 'utf8')) as { about: Record<string, string> }).about
  const { envSha256 } = about()
  assert.match(envSha256, /^[0-9a-f]{64}$/)
  const longer = ['train', '--resume', 'run', '--steps', String((ITERATIONS + 1) * 80)]
  const gusts = readFileSync(join(cwd, 'gusts.ts'), 'utf8')
  writeFileSync(join(cwd, 'gusts.ts'), `${gusts}// stronger\n`)
  const refused = hatrpo(longer, cwd)
  assert.match(
    refused.stderr,
    /^hatrpo: environment \S+wind\.ts was changed since run was started \(sha256 [0-9a-f]{8} then, [0-9a-f]{8} now\): restore it or start a new run; deleting about\.envSha256 from run\/config\.json continues with the changed one\n$/,
  )
  assert.equal(refused.code, 2)
  assert.equal(refused.stdout, '')

  const { envSha256: _, ...rest } = about()
  const stored = JSON.parse(readFileSync(config, 'utf8')) as object
  writeFileSync(config, JSON.stringify({ ...stored, about: rest }))
  digest(hatrpo(longer, cwd))
  assert.match(about().envSha256, /^[0-9a-f]{64}$/)
  assert.notEqual(about().envSha256, envSha256)
  writeFileSync(join(cwd, 'gusts.ts'), gusts)
  assert.match(
    hatrpo([...longer.slice(0, -1), String((ITERATIONS + 2) * 80)], cwd).stderr,
    /was changed since/,
  )
})

test('an exception of an environment in training is reported, and with --verbose its line', (t) => {
  const cwd = project(t)
  const lines = readFileSync(join(cwd, 'wind.ts'), 'utf8').split('\n')
  const at = lines.findIndex((line) => line.includes('step(): number {'))
  lines.splice(at + 1, 0, "    if (this.#step === 3) throw new TypeError('there is no wind')")
  writeFileSync(join(cwd, 'wind.ts'), lines.join('\n'))
  const { code, stderr } = hatrpo([...training('./wind.ts', 'run'), '--verbose'], cwd)
  assert.equal(code, 1)
  const said = `step() threw TypeError: there is no wind (wind.ts:${at + 2})`
  assert.match(stderr, /^hatrpo: the rollout from step 0 failed 3 times; last error: a worker failed \(/m)
  assert.ok(stderr.includes(said), stderr)
  assert.ok(stderr.includes(`${join(cwd, 'wind.ts')}:${at + 2}:`), stderr)
})

for (const host of Object.values(findHosts())) {
  test(`${host.name} gives the same bits`, { skip: host.missing }, (t) => {
    const cwd = project(t)
    const args = [...host.args, MAIN, ...training('./wind.ts', 'there'), '--workers', '2']
    const { status, stdout, stderr } = spawnSync(host.path, args, { cwd, encoding: 'utf8' })
    assert.equal(digest({ code: status, stdout, stderr }), whole)
  })
}
